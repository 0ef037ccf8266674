//! A node that can be opened again and again on the same disk, and a host of shards that only notes what it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use catalog_state::{AccountLimits, CatalogCommand, CatalogState, StreamMode, StreamStatus};
use control_plane::{ControlPlane, Error, Ground, HostError, Local, Options, ShardHost, ShardOpen};
use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};
use env::{BoxFuture, Env};
use journal::Journal;
use parking_lot::Mutex;
use raft_group::RaftNode;
use telemetry::Telemetry;
use tokio::sync::watch;
use types::{GroupId, NodeId, ReplicaId, StreamArn, StreamName, TimestampMs};

const NODE: NodeId = NodeId(1);

pub(crate) struct World {
    disk: FaultDisk,
    seeds: AtomicU64,
}

impl World {
    pub(crate) fn new() -> World {
        World::new_with_seed(1)
    }

    pub(crate) fn new_with_seed(seed: u64) -> World {
        World { disk: FaultDisk::new(seed, FaultPlan::default()), seeds: AtomicU64::new(seed * 1_000) }
    }

    /// One life of the process, ended by power loss.
    pub(crate) fn life<T, F: Future<Output = T>>(&self, life: impl FnOnce(Arc<Node>) -> F) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let result = runtime.block_on(async {
            let seed = self.seeds.fetch_add(1, Ordering::Relaxed);
            let env = sim::env(seed, SimClock::new(0), self.disk.mount(), ProcessEnd::default());
            life(Arc::new(Node { env, disk: self.disk.clone(), journal: Mutex::new(None) })).await
        });
        drop(runtime);
        self.disk.power_loss();
        result
    }
}

pub(crate) struct Node {
    env: Env,
    pub(crate) disk: FaultDisk,
    journal: Mutex<Option<Journal>>,
}

impl Node {
    pub(crate) async fn open_journal(&self) -> Journal {
        let options = journal::Options {
            file_bytes: 256 << 10,
            flush_bytes: 64 << 10,
            tail_budget_bytes: 256 << 10,
            free_bytes_reserve: 0,
            ..journal::Options::default()
        };
        let (journal, _) = Journal::open(self.env.clone(), options, Telemetry::new()).await.unwrap();
        *self.journal.lock() = Some(journal.clone());
        journal
    }

    pub(crate) fn journal(&self) -> Journal {
        self.journal.lock().clone().unwrap()
    }

    pub(crate) async fn try_open(&self, host: &Host, options: Options) -> Result<(Journal, ControlPlane), Error> {
        let journal = self.open_journal().await;
        let host = Arc::new(host.clone());
        let raft = RaftNode::alone(self.env.clone(), NODE);
        let ground = Ground { env: self.env.clone(), journal: journal.clone(), raft, host };
        let plane = ControlPlane::open(ground, Local::founder(NODE, 1), options).await?;
        Ok((journal, plane))
    }

    pub(crate) async fn open(&self, host: &Host) -> (Journal, ControlPlane) {
        self.try_open(host, options()).await.unwrap()
    }
}

pub(crate) fn options() -> Options {
    Options::default()
}

pub(crate) fn name(name: &str) -> StreamName {
    StreamName::parse(name).unwrap()
}

pub(crate) fn create(stream: &str, shard_count: u32) -> CatalogCommand {
    CatalogCommand::CreateStream {
        arn: StreamArn::new("us-east-1", "000000000000", name(stream)).unwrap(),
        shard_count,
        mode: StreamMode::Provisioned,
        at: TimestampMs(1_000),
        replication: 1,
        replicas: vec![vec![NODE]],
        limits: AccountLimits::OFF,
    }
}

pub(crate) fn delete(stream: &str) -> CatalogCommand {
    CatalogCommand::DeleteStream { name: name(stream), at: TimestampMs(2_000) }
}

pub(crate) fn status(catalog: &CatalogState, stream: &str) -> Option<StreamStatus> {
    catalog.stream(&name(stream)).map(|stream| stream.status)
}

/// Waits for a state of the catalog; virtual time makes the deadline free.
pub(crate) async fn until(plane: &ControlPlane, reached: impl FnMut(&Arc<CatalogState>) -> bool) {
    let mut catalog = plane.watch();
    let waited = tokio::time::timeout(Duration::from_secs(60), catalog.wait_for(reached)).await;
    drop(waited.unwrap().unwrap());
}

#[derive(Default)]
struct Notes {
    running: BTreeMap<GroupId, u64>,
    tries: BTreeMap<GroupId, usize>,
    refusals: BTreeMap<GroupId, (HostError, usize)>,
    at_once: usize,
    most_at_once: usize,
    drops_fail: bool,
    failed_drops: usize,
}

/// Notes what it is told. Opening takes a moment, in which others can begin.
#[derive(Clone)]
pub(crate) struct Host {
    notes: Arc<Mutex<Notes>>,
    changed: watch::Sender<()>,
}

impl Default for Host {
    fn default() -> Host {
        Host { notes: Arc::default(), changed: watch::Sender::new(()) }
    }
}

impl Host {
    /// The next opens of a group fail so.
    pub(crate) fn refuse(&self, group: u64, error: HostError, times: usize) {
        self.notes.lock().refusals.insert(GroupId(group), (error, times));
    }

    pub(crate) fn fail_drops(&self) {
        self.notes.lock().drops_fail = true;
    }

    pub(crate) fn running(&self) -> Vec<(u64, u64)> {
        self.notes.lock().running.iter().map(|(group, retention_ms)| (group.0, *retention_ms)).collect()
    }

    pub(crate) fn tries(&self, group: u64) -> usize {
        self.notes.lock().tries.get(&GroupId(group)).copied().unwrap_or(0)
    }

    pub(crate) fn failed_drops(&self) -> usize {
        self.notes.lock().failed_drops
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.notes.lock().most_at_once
    }

    pub(crate) async fn until(&self, reached: impl Fn(&Host) -> bool) {
        let mut changed = self.changed.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(60), changed.wait_for(|()| reached(self))).await;
        waited.unwrap().unwrap();
    }

    fn opened(&self, shard: &ShardOpen) -> Result<(), HostError> {
        let mut notes = self.notes.lock();
        notes.at_once -= 1;
        *notes.tries.entry(shard.group).or_default() += 1;
        if let Some((error, left)) = notes.refusals.get_mut(&shard.group).filter(|(_, left)| *left > 0) {
            *left -= 1;
            return Err(error.clone());
        }
        notes.running.insert(shard.group, shard.retention_ms);
        Ok(())
    }
}

impl ShardHost for Host {
    fn open(&self, shard: ShardOpen) -> BoxFuture<'static, Result<(), HostError>> {
        let host = self.clone();
        Box::pin(async move {
            {
                let mut notes = host.notes.lock();
                notes.at_once += 1;
                notes.most_at_once = notes.most_at_once.max(notes.at_once);
            }
            tokio::task::yield_now().await;
            let result = host.opened(&shard);
            host.changed.send_replace(());
            result
        })
    }

    fn drop_shard(&self, group: GroupId, _: ReplicaId) -> BoxFuture<'static, Result<(), HostError>> {
        let mut notes = self.notes.lock();
        let result = if notes.drops_fail {
            notes.failed_drops += 1;
            Err(HostError::Failed("drops fail".into()))
        } else {
            notes.running.remove(&group);
            Ok(())
        };
        drop(notes);
        self.changed.send_replace(());
        Box::pin(async move { result })
    }

    fn set_retention(&self, group: GroupId, retention_ms: u64) {
        self.notes.lock().running.insert(group, retention_ms);
        self.changed.send_replace(());
    }

    fn led(&self) -> Vec<GroupId> {
        self.notes.lock().running.keys().copied().collect()
    }

    fn damaged(&self) -> Vec<(GroupId, ReplicaId)> {
        Vec::new()
    }

    fn lags(&self) -> Vec<(GroupId, ReplicaId, u64)> {
        Vec::new()
    }

    fn voters(&self, _: GroupId) -> Option<BTreeSet<ReplicaId>> {
        None
    }

    fn change_members(
        &self,
        _: GroupId,
        _: BTreeSet<ReplicaId>,
        _: BTreeSet<ReplicaId>,
        _: Duration,
    ) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Err("there is one node".into()) })
    }

    fn transfer(&self, _: GroupId, _: NodeId) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Err("there is one node".into()) })
    }
}
