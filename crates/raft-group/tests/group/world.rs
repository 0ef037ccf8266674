//! What the tests share: a small machine, a small journal, a disk that loses power.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use env::Env;
use env::sim::{self, FaultDisk, ProcessEnd, SimClock};
use journal::{FrameKind, Journal, LogId, Options, Snapshot};
use raft_group::{Applied, CommittedEntry, Machine, MachineError, ProposeError, RaftGroup};
use telemetry::Telemetry;
use types::{GroupId, NodeId, RecordNumber, TimestampMs};

pub(crate) const NODE: NodeId = NodeId(1);
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Commands of [`Numbers`]: the first byte of an entry.
const RECORD: u8 = 0;
const TRIM: u8 = 1;
const PEEK: u8 = 2;
const PANIC: u8 = 3;

/// Numbers the records it is given, one per entry. Like a shard's machine, it takes its snapshot at the trim point.
#[derive(Clone, Default)]
pub(crate) struct Numbers {
    next: u64,
    /// The last trimmed entry, and the number of the first record behind it.
    trim: Option<(LogId, u64)>,
    /// Whether it keeps no small state, so that a restart begins at the snapshot.
    only_snapshots: bool,
}

impl Numbers {
    pub(crate) fn only_snapshots() -> Self {
        Self { only_snapshots: true, ..Self::default() }
    }

    fn encode(next: u64, trim: Option<(LogId, u64)>) -> Bytes {
        let (at, first) = trim.unwrap_or((LogId { term: 0, index: 0 }, 0));
        let mut out = BytesMut::new();
        [next, u64::from(trim.is_some()), at.term, at.index, first].into_iter().for_each(|word| out.put_u64_le(word));
        out.freeze()
    }
}

impl Machine for Numbers {
    fn apply(&mut self, entry: CommittedEntry<'_>) -> Applied {
        let first_record = RecordNumber(self.next);
        let mut payload = entry.payload.as_ref();
        let command = if entry.kind == FrameKind::Normal { payload.get_u8() } else { PEEK };
        match command {
            RECORD => self.next += 1,
            TRIM => {
                let at = LogId { term: payload.get_u64_le(), index: payload.get_u64_le() };
                self.trim = Some((at, payload.get_u64_le()));
            }
            PANIC => panic!("planted by the test"),
            _ => {}
        }
        let count = u32::from(command == RECORD);
        let reply = Bytes::copy_from_slice(&first_record.0.to_le_bytes());
        Applied { reply, first_record, count, arrival: TimestampMs(0) }
    }

    fn checkpoint(&self) -> Option<Bytes> {
        (!self.only_snapshots).then(|| Self::encode(self.next, self.trim))
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.trim.map(|(log_id, next)| Snapshot { log_id, state: Self::encode(next, self.trim) })
    }

    fn restore(&mut self, _: LogId, state: &Bytes) -> Result<(), MachineError> {
        let mut state = state.as_ref();
        let mut words = [0; 5];
        for word in &mut words {
            *word = state.try_get_u64_le().map_err(|error| MachineError(error.to_string()))?;
        }
        let [next, trimmed, term, index, first] = words;
        (self.next, self.trim) = (next, (trimmed == 1).then_some((LogId { term, index }, first)));
        Ok(())
    }
}

/// A journal that goes through its files and segments quickly.
pub(crate) fn options() -> Options {
    Options {
        file_bytes: 64 << 10,
        flush_bytes: 16 << 10,
        tail_budget_bytes: 48 << 10,
        free_bytes_reserve: 0,
        index_every_bytes: 2 << 10,
        maintenance_interval: Duration::from_millis(20),
        ..Options::default()
    }
}

/// The process' world in its `start`-th start on `disk`.
pub(crate) fn world(start: u64, disk: &FaultDisk, end: &ProcessEnd) -> Env {
    sim::env(start, SimClock::new(0), disk.mount(), end.clone())
}

pub(crate) async fn open_with(env: Env, machine: Numbers) -> (Journal, RaftGroup) {
    let (journal, report) = Journal::open(env.clone(), options(), Telemetry::new()).await.unwrap();
    let log = journal.group(GroupId(5)).unwrap_or_else(|error| panic!("{error}: {report:?}"));
    let group = RaftGroup::open(&env, log, NODE, machine).await.unwrap();
    group.initialize(&[NODE]).await.unwrap();
    group.wait_leader(DEADLINE).await.unwrap();
    (journal, group)
}

pub(crate) async fn open(env: Env) -> (Journal, RaftGroup) {
    open_with(env, Numbers::default()).await
}

/// The bytes of record `n`.
pub(crate) fn record(n: u64) -> Bytes {
    let mut payload = vec![RECORD];
    payload.extend_from_slice(&n.to_le_bytes());
    payload.resize(409, b'x');
    payload.into()
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

/// Trims the records before `first`, which must not be the first one retained.
pub(crate) async fn trim(group: &RaftGroup, first: u64) {
    let last = &group.log().read_records(RecordNumber(first - 1), 1).await.unwrap()[0];
    assert_eq!(last.end_record(), first);
    let at = last.frame.log_id;
    let mut payload = BytesMut::from(&[TRIM][..]);
    [at.term, at.index, first].into_iter().for_each(|word| payload.put_u64_le(word));
    group.propose(payload.freeze()).await.unwrap();
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
