//! What the tests share: a node with one group, on a disk that loses power.

use std::time::Duration;

use bytes::{Buf, Bytes};
use env::Env;
use env::sim::{self, FaultDisk, ProcessEnd, SimClock};
use journal::Journal;
use raft_group::{ProposeError, RaftGroup, RaftNode};
use telemetry::Telemetry;
use types::{GroupId, NodeId, RecordNumber, ReplicaId};

use crate::machine::{Numbers, PANIC, PEEK, options, record};

pub(crate) const NODE: NodeId = NodeId(1);
pub(crate) const REPLICA: ReplicaId = ReplicaId::new(NODE, 0);
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// The process' world in its `start`-th start on `disk`.
pub(crate) fn world(start: u64, disk: &FaultDisk, end: &ProcessEnd) -> Env {
    sim::env(start, SimClock::new(0), disk.mount(), end.clone())
}

pub(crate) async fn open_with(env: Env, machine: Numbers) -> (Journal, RaftGroup) {
    let (journal, report) = Journal::open(env.clone(), options(), Telemetry::new()).await.unwrap();
    let log = journal.group(GroupId(5)).unwrap_or_else(|error| panic!("{error}: {report:?}"));
    let group = RaftNode::alone(env.clone(), NODE).open(log.id(), log, REPLICA, machine).await.unwrap();
    group.initialize(&[REPLICA]).await.unwrap();
    group.wait_leader(DEADLINE).await.unwrap();
    (journal, group)
}

pub(crate) async fn open(env: Env) -> (Journal, RaftGroup) {
    open_with(env, Numbers::new(false)).await
}

async fn number(group: &RaftGroup, payload: Bytes) -> Result<u64, ProposeError> {
    Ok(group.propose(payload).await?.get_u64_le())
}

/// Puts record `n`; returns the number that it was given.
pub(crate) async fn try_put(group: &RaftGroup, n: u64) -> Result<u64, ProposeError> {
    number(group, record(n)).await
}

pub(crate) async fn put(group: &RaftGroup, n: u64) -> u64 {
    try_put(group, n).await.unwrap()
}

/// The number that the next record will be given.
pub(crate) async fn peek(group: &RaftGroup) -> u64 {
    number(group, Bytes::from_static(&[PEEK])).await.unwrap()
}

/// Has the machine panic.
pub(crate) async fn panic(group: &RaftGroup) -> Result<u64, ProposeError> {
    number(group, Bytes::from_static(&[PANIC])).await
}

/// All records from `first` on, each checked.
pub(crate) async fn read_from(group: &RaftGroup, first: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let next = numbers.last().map_or(first, |last| last + 1);
        let frames = group.log().read_records(RecordNumber(next), 5000).await.unwrap();
        if frames.is_empty() {
            return numbers;
        }
        for frame in frames {
            assert_eq!(frame.frame.payload, record(frame.first_record.0));
            numbers.push(frame.first_record.0);
        }
    }
}

/// Runs one life of the process, in virtual time.
pub(crate) fn run<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(life)
}
