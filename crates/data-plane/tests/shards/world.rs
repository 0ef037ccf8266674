//! A node over several lives of its process.

use std::time::Duration;

use data_plane::{AppendError, Appended, DataPlane, Options, ReadRecord, ShardLimits, ShardSpec};
use env::Clock;
use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};
use journal::Journal;
use raft_group::RaftNode;
use shard_state::{Batch, BatchWriter, ShardIdentity};
use telemetry::Telemetry;
use types::{GroupId, NodeId, RecordNumber, ReplicaId, ShardId};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY_MS: u64 = 86_400_000;

/// What outlives the process.
/// The only replica of every shard.
pub(crate) const REPLICA: ReplicaId = ReplicaId::new(NodeId(1), 0);

pub(crate) struct World {
    pub(crate) disk: FaultDisk,
    now_ms: u64,
    starts: u64,
    pub(crate) options: Options,
    pub(crate) journal: journal::Options,
}

/// One life of the process.
pub(crate) struct Life {
    pub(crate) plane: DataPlane,
    pub(crate) journal: Journal,
    pub(crate) clock: SimClock,
    pub(crate) telemetry: Telemetry,
}

impl World {
    pub(crate) fn new() -> World {
        let journal = journal::Options {
            file_bytes: 4 << 20,
            flush_bytes: 128 << 10,
            tail_budget_bytes: 512 << 10,
            index_every_bytes: 4 << 10,
            free_bytes_reserve: 0,
            ..journal::Options::default()
        };
        let options = Options { batch_bytes_max: 3 << 20, ..Options::default() };
        World { disk: FaultDisk::new(7, FaultPlan::default()), now_ms: 1_700_000_000_000, starts: 0, options, journal }
    }

    /// Starts the process, does something, and kills it.
    pub(crate) fn live<T>(&mut self, during: impl AsyncFnOnce(Life) -> T) -> T {
        self.starts += 1;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let result = runtime.block_on(async {
            let clock = SimClock::new(self.now_ms);
            let env = sim::env(self.starts, clock.clone(), self.disk.mount(), ProcessEnd::default());
            let telemetry = Telemetry::new();
            let (journal, _) = Journal::open(env.clone(), self.journal.clone(), telemetry.clone()).await.unwrap();
            let raft = RaftNode::alone(env.clone(), NodeId(1));
            let plane = DataPlane::new(env, journal.clone(), raft, self.options.clone(), telemetry.clone());
            let result = during(Life { plane, journal, clock: clock.clone(), telemetry }).await;
            self.now_ms = clock.unix_ms();
            result
        });
        drop(runtime);
        self.disk.power_loss();
        result
    }
}

impl Life {
    pub(crate) async fn open(&self, group: GroupId) {
        self.plane.open_shard(spec(group)).await.unwrap();
    }

    /// Everything that is there from a record on, in pages.
    pub(crate) async fn read_all(&self, group: GroupId, from: RecordNumber) -> Vec<ReadRecord> {
        let (mut next, mut records) = (from, Vec::new());
        loop {
            let page = self.plane.read(group, next, 70, 20_000).await.unwrap();
            next = page.next;
            if page.records.is_empty() {
                return records;
            }
            records.extend(page.records);
        }
    }

    pub(crate) async fn put(&self, group: GroupId, texts: &[&str]) -> Result<Appended, AppendError> {
        self.plane.append(group, batch(texts), None).await
    }
}

pub(crate) fn spec(group: GroupId) -> ShardSpec {
    ShardSpec {
        group,
        identity: ShardIdentity { shard: ShardId(group.0 as u32), created_sec: 1_700_000_000 },
        replica: REPLICA,
        founders: vec![REPLICA],
        retention_ms: DAY_MS,
        limits: ShardLimits::off(),
    }
}

pub(crate) fn batch(texts: &[&str]) -> Batch {
    let mut writer = BatchWriter::new();
    for text in texts {
        let fill = |out: &mut [u8]| {
            out.copy_from_slice(text.as_bytes());
            Ok::<(), ()>(())
        };
        writer.push("key", None, text.len(), fill).unwrap();
    }
    writer.finish()
}

pub(crate) fn texts(records: &[ReadRecord]) -> Vec<String> {
    records.iter().map(|read| String::from_utf8(read.record.data.to_vec()).unwrap()).collect()
}
