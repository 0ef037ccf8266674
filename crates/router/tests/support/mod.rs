//! A whole node below the API that can be started again and again on the same disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use control_plane::{ControlPlane, Ground, Local};
use data_plane::{DataPlane, ShardLimits};
use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};
use journal::Journal;
use raft_group::RaftNode;
use router::{
    AccountLimits, Capacity, DataPlaneHost, GetRecords, InvalidData, IteratorType, Options, PutEntry, PutOutcome,
    Router, RouterError, StreamRef, StreamStatus,
};
use telemetry::Telemetry;
use types::NodeId;

const NODE: NodeId = NodeId(1);
const BASE_MS: u64 = 1_700_000_000_000;

pub(crate) struct World {
    disk: FaultDisk,
    lives: AtomicU64,
}

impl World {
    pub(crate) fn new() -> World {
        World { disk: FaultDisk::new(1, FaultPlan::default()), lives: AtomicU64::new(0) }
    }

    /// One life of the process, ended by power loss. Each begins an hour of wall time after the one before.
    pub(crate) fn life<T, F: Future<Output = T>>(&self, life: impl FnOnce(Node) -> F) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let result = runtime.block_on(async {
            let number = self.lives.fetch_add(1, Ordering::Relaxed);
            let clock = SimClock::new(BASE_MS + number * 3_600_000);
            let env = sim::env(number, clock.clone(), self.disk.mount(), ProcessEnd::default());
            life(start(env, clock).await).await
        });
        drop(runtime);
        self.disk.power_loss();
        result
    }
}

pub(crate) struct Node {
    pub(crate) router: Router,
    pub(crate) clock: SimClock,
    control: ControlPlane,
}

async fn start(env: env::Env, clock: SimClock) -> Node {
    let options = journal::Options {
        file_bytes: 16 << 20,
        flush_bytes: 64 << 10,
        tail_budget_bytes: 32 << 20,
        free_bytes_reserve: 0,
        ..journal::Options::default()
    };
    let telemetry = Telemetry::new();
    let (journal, _) = Journal::open(env.clone(), options, telemetry.clone()).await.unwrap();
    let raft = RaftNode::alone(env.clone(), NODE);
    let data = DataPlane::new(env.clone(), journal.clone(), raft.clone(), data_plane::Options::default(), telemetry);
    let host = Arc::new(DataPlaneHost::new(data.clone(), ShardLimits::off()));
    let options = control_plane::Options::default();
    let ground = Ground { env: env.clone(), journal, raft: raft.clone(), host };
    let control = ControlPlane::open(ground, Local::founder(NODE, 1), options).await.unwrap();
    control.wait_ready().await;
    let options =
        Options { region: "us-east-1".into(), account: "000000000000".into(), account_limits: AccountLimits::OFF };
    Node { router: Router::new(env, control.clone(), data, raft, options), clock, control }
}

impl Node {
    pub(crate) async fn create(&self, name: &str, shards: u32) {
        self.router.create_stream(name, Capacity::Provisioned { shards }).await.unwrap();
        self.until(name, Some(StreamStatus::Active)).await;
    }

    /// Waits until a stream has a status; `None` until it is gone.
    pub(crate) async fn until(&self, name: &str, status: Option<StreamStatus>) {
        let mut catalog = self.control.watch();
        let reached = || self.router.describe_stream_summary(StreamRef::named(name)).ok().map(|stream| stream.status);
        let waited = tokio::time::timeout(Duration::from_secs(60), catalog.wait_for(|_| reached() == status)).await;
        drop(waited.unwrap().unwrap());
    }

    pub(crate) async fn put(&self, name: &str, records: &[Plain]) -> Vec<PutOutcome> {
        self.router.put_records(StreamRef::named(name), records.iter()).await.unwrap()
    }

    pub(crate) async fn iterator(&self, name: &str, shard: u32, kind: IteratorType) -> String {
        self.iterator_at(name, shard, kind, None).await.unwrap()
    }

    pub(crate) async fn iterator_at(
        &self,
        name: &str,
        shard: u32,
        kind: IteratorType,
        number: Option<&str>,
    ) -> Result<String, RouterError> {
        let shard = format!("shardId-{shard:012}");
        self.router.shard_iterator(StreamRef::named(name), &shard, kind, number, None).await
    }

    pub(crate) async fn get(&self, iterator: &str, limit: u32) -> Result<GetRecords, RouterError> {
        self.router.get_records(iterator, Some(limit), StreamRef::default()).await
    }

    /// All records from an iterator to the tip, by pages, with their sequence numbers.
    pub(crate) async fn read_all(&self, iterator: String) -> Vec<(String, Plain)> {
        let (mut records, mut iterator) = (Vec::new(), iterator);
        loop {
            let read = self.get(&iterator, 7).await.unwrap();
            if read.records().is_empty() {
                return records;
            }
            records.extend(read.records().iter().map(|record| {
                let key = record.record.partition_key_str().unwrap().to_owned();
                (read.sequence_number(record).to_string(), Plain { key, data: record.record.data.to_vec() })
            }));
            iterator = read.next.unwrap();
        }
    }
}

/// A record whose data `!` does not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) key: String,
    pub(crate) data: Vec<u8>,
}

impl PutEntry for Plain {
    fn partition_key(&self) -> &str {
        &self.key
    }

    fn explicit_hash_key(&self) -> Option<&str> {
        None
    }

    fn data_len(&self) -> usize {
        self.data.len()
    }

    fn decode_into(&self, out: &mut [u8]) -> Result<(), InvalidData> {
        out.copy_from_slice(&self.data);
        if self.data == b"!" { Err(InvalidData) } else { Ok(()) }
    }
}

pub(crate) fn record(key: &str, data: &str) -> Plain {
    Plain { key: key.into(), data: data.into() }
}

/// So many records of ten keys.
pub(crate) fn records(range: std::ops::Range<u32>) -> Vec<Plain> {
    range.map(|n| record(&format!("key-{}", n % 10), &format!("data-{n}"))).collect()
}

/// The number of a record that was stored.
pub(crate) fn stored(outcome: &PutOutcome) -> (u32, String) {
    match outcome {
        PutOutcome::Stored(put) => (put.shard.0, put.sequence.to_string()),
        other => panic!("{other:?}"),
    }
}
