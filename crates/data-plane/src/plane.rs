use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use env::Env;
use journal::{GroupLog, Journal};
use parking_lot::Mutex;
use raft_group::{RaftGroup, RaftNode};
use shard_state::{Batch, ShardIdentity};
use telemetry::Telemetry;
use tokio::sync::{mpsc, watch};
use types::{GroupId, RecordNumber, ReplicaId, TimestampMs};

use crate::budget::Budget;
use crate::clock::NodeClock;
use crate::error::NoService;
use crate::gather::EntryLimit;
use crate::limits::{ReadLimiter, WriteLimiter};
use crate::machine::ShardMachine;
use crate::milestones::Milestones;
use crate::owner::Owner;
use crate::retention::{self, Trimming};
use crate::shard::{Shard, stopped};
use crate::slots::{Opening, Slots};
use crate::{AppendError, Appended, Error, Options, Positions, ReadBatch, ReadError, ShardLimits};

/// A shard to be opened.
#[derive(Debug, Clone)]
pub struct ShardSpec {
    /// The Raft group of its replicas.
    pub group: GroupId,
    /// Which shard it is: what its sequence numbers carry.
    pub identity: ShardIdentity,
    /// This node's replica.
    pub replica: ReplicaId,
    /// The voters of a group that has never been formed, the same ones on each of their nodes; empty for a replica that joins a
    /// group that has been, and waits to be told of it. A group that has members keeps them.
    pub founders: Vec<ReplicaId>,
    /// Milliseconds for which its records stay readable.
    pub retention_ms: u64,
    /// What it takes and gives per second.
    pub limits: ShardLimits,
}

/// The shards of one node. Clones share them.
#[derive(Clone)]
pub struct DataPlane {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) env: Env,
    journal: Journal,
    raft: RaftNode,
    pub(crate) options: Options,
    telemetry: Telemetry,
    pub(crate) clock: Arc<NodeClock>,
    pub(crate) slots: Slots,
    queue: Budget,
    reads: Budget,
    /// Set to end the retention task, which holds a receiver as long as it runs.
    stop: watch::Sender<bool>,
}

impl DataPlane {
    /// A node without shards. Starts the retention task, so it must be called where `env` may spawn.
    #[must_use]
    pub fn new(env: Env, journal: Journal, raft: RaftNode, options: Options, telemetry: Telemetry) -> DataPlane {
        let (stop, stopping) = watch::channel(false);
        let inner = Arc::new(Inner {
            clock: Arc::new(NodeClock::new(env.clone())),
            queue: Budget::new(options.node_queue_bytes_max),
            reads: Budget::new(options.read_bytes_max),
            slots: Slots::default(),
            stop,
            env,
            journal,
            raft,
            options,
            telemetry,
        });
        inner.env.spawn.task("retention", Box::pin(retention::run(Arc::clone(&inner), stopping)));
        DataPlane { inner }
    }

    /// Opens a shard, making its group if there is none, and begins to serve it. A shard that is open stays so, with the new
    /// retention.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when its data here is damaged: later requests for it are answered so, other shards are not concerned.
    /// Anything else may pass, and leaves nothing open.
    pub async fn open_shard(&self, spec: ShardSpec) -> Result<(), Error> {
        let claim = match self.inner.slots.begin_open(spec.group, spec.replica)? {
            Opening::Open(shard) => {
                shard.retention_ms.store(spec.retention_ms, Ordering::Relaxed);
                return Ok(());
            }
            Opening::New(claim) => claim,
        };
        let error = match self.inner.open(&spec).await {
            Ok(shard) => {
                if claim.settle(Arc::clone(&shard)) {
                    return Ok(());
                }
                self.inner.shut_down(&shard).await;
                return Err(Error::Closed);
            }
            Err(error) => error,
        };
        let Some(reason) = self.inner.damage(spec.replica.file_of(spec.group), &error) else { return Err(error) };
        tracing::error!(group = %spec.group, reason, "the shard is damaged on this node and does not serve");
        self.inner.journal.give_up(spec.replica.file_of(spec.group), reason.clone());
        claim.corrupt(reason.clone());
        Err(Error::Corrupt { group: spec.group, reason })
    }

    /// Stops a shard's replica and removes its data, durably. One that is not there is fine, a damaged one too. Another replica of the
    /// same shard is left alone.
    ///
    /// # Errors
    /// [`Error::Busy`], and [`Error::Journal`] when the removal could not be made durable; the shard is stopped then.
    pub async fn drop_shard(&self, group: GroupId, replica: ReplicaId) -> Result<(), Error> {
        let (claim, shard) = self.inner.slots.begin_drop(group, replica)?;
        if let Some(shard) = shard {
            self.inner.shut_down(&shard).await;
        }
        self.inner.journal.drop_group(replica.file_of(group)).await?;
        drop(claim);
        Ok(())
    }

    /// Changes how long the records of an open shard stay readable, in milliseconds. What has been trimmed is not brought back.
    pub fn set_retention(&self, group: GroupId, retention_ms: u64) {
        if let Ok(shard) = self.inner.slots.get(group) {
            shard.retention_ms.store(retention_ms, Ordering::Relaxed);
        }
    }

    /// Appends a batch, or as many records of its beginning as the shard's write limit allows. Answered when they are durable on a
    /// quorum, applied, and readable. A caller that goes away doesn't take them back.
    ///
    /// `tried_for`: for how long the caller has been trying, if an earlier try, wherever it was, had the outcome
    /// [`AppendError::Unknown`]. Then the log is searched for the request first, and where it is found, its records are not appended again.
    ///
    /// # Errors
    /// See [`AppendError`]: only after [`AppendError::Unknown`] may something have been appended. With `tried_for` nothing but success
    /// tells what has become of the earlier tries.
    pub async fn append(
        &self,
        group: GroupId,
        batch: Batch,
        tried_for: Option<Duration>,
    ) -> Result<Appended, AppendError> {
        let count = batch.count;
        let result = match self.inner.slots.get(group) {
            Ok(shard) => shard.append(batch, tried_for).await,
            Err(reason) => Err(reason.into()),
        };
        let outcome = match &result {
            Ok(appended) if appended.accepted == count => "accepted",
            Ok(_) => "partly",
            Err(AppendError::Throttled) => "throttled",
            Err(AppendError::Overloaded) => "overloaded",
            Err(AppendError::DiskFull) => "disk_full",
            Err(AppendError::Unknown(_)) => "unknown",
            Err(_) => "refused",
        };
        self.inner.telemetry.puts.with_label_values(&[outcome]).inc();
        result
    }

    /// Reads committed records from `from` on, or from the trim point if that is later: up to `max_records` and `max_bytes` of data
    /// and partition keys, but one record in any case where there is one. Fewer may come though more are there. Records past
    /// their retention that are not trimmed yet are given.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read(
        &self,
        group: GroupId,
        from: RecordNumber,
        max_records: u32,
        max_bytes: u64,
    ) -> Result<ReadBatch, ReadError> {
        let result = match self.inner.slots.get(group) {
            Ok(shard) => shard.read(from, max_records, max_bytes, &self.inner.reads).await,
            Err(reason) => Err(reason.into()),
        };
        let outcome = match &result {
            Ok(batch) if batch.records.is_empty() => "empty",
            Ok(_) => "records",
            Err(ReadError::Throttled) => "throttled",
            Err(ReadError::Unavailable(_)) => "failed",
            Err(_) => "refused",
        };
        self.inner.telemetry.gets.with_label_values(&[outcome]).inc();
        result
    }

    /// Where a shard begins and ends at the moment.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn position(&self, group: GroupId) -> Result<Positions, ReadError> {
        let shard = self.inner.slots.get(group)?;
        shard.serves()?;
        Ok(shard.positions())
    }

    /// The first retained record that arrived at a time or later; the next one to come if there is none.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn seek_arrival(&self, group: GroupId, at: TimestampMs) -> Result<RecordNumber, ReadError> {
        let shard = self.inner.slots.get(group)?;
        shard.serves()?;
        let seek = shard.log.seek_arrival(at).await.map_err(|error| shard.log_failed(error))?;
        Ok(seek.first_record.max(shard.published().trim.next_record))
    }

    pub(crate) fn shard(&self, group: GroupId) -> Option<Arc<Shard>> {
        self.inner.slots.get(group).ok()
    }

    pub(crate) fn open_shards(&self) -> Vec<Arc<Shard>> {
        self.inner.slots.open_shards()
    }

    /// Takes nothing new, finishes what is in flight, then ends all groups. The journal is not closed.
    pub async fn close(&self) {
        self.inner.slots.close();
        self.inner.stop.send_replace(true);
        self.inner.stop.closed().await;
        let shards = self.inner.slots.open_shards();
        // All at once stop taking; then each is waited for.
        for shard in &shards {
            shard.stop.send_replace(true);
        }
        for shard in shards {
            self.inner.shut_down(&shard).await;
        }
    }
}

impl Inner {
    async fn open(&self, spec: &ShardSpec) -> Result<Arc<Shard>, Error> {
        let log = self.journal.group(spec.replica.file_of(spec.group))?;
        let milestones = Arc::new(Milestones::default());
        let (clock, marks) = (Arc::clone(&self.clock), Arc::clone(&milestones));
        let progress = Box::new(move |next_record| marks.note(clock.monotonic(), next_record));
        let (machine, published) = ShardMachine::new(spec.identity, progress);
        let group = self.raft.open(spec.group, log.clone(), spec.replica, machine).await?;
        if let Err(error) = self.form(&group, &spec.founders).await {
            group.shutdown().await;
            return Err(error.into());
        }
        let (puts, waiting) = mpsc::unbounded_channel();
        let now = self.clock.monotonic();
        let (stop, stopping) = watch::channel(false);
        let shard = Arc::new(Shard {
            env: self.env.clone(),
            journal: self.journal.clone(),
            telemetry: self.telemetry.clone(),
            clock: Arc::clone(&self.clock),
            group_id: spec.group,
            replica: spec.replica,
            identity: spec.identity,
            published,
            milestones,
            puts,
            node_queue: self.queue.clone(),
            queue: Budget::new(self.options.shard_queue_bytes_max),
            writes: Mutex::new(WriteLimiter::new(&spec.limits, now)),
            reads: Mutex::new(ReadLimiter::new(&spec.limits, now)),
            retention_ms: AtomicU64::new(spec.retention_ms),
            trimming: tokio::sync::Mutex::new(Trimming::new(compacted(&log))),
            batch_bytes_max: self.options.batch_bytes_max,
            append_deadline: self.options.append_deadline,
            failure: OnceLock::new(),
            stop,
            group,
            log,
        });
        let limit = EntryLimit { bytes_max: self.options.entry_bytes_max, batches_max: self.options.entry_batches_max };
        let owner = Owner { shard: Arc::clone(&shard), puts: waiting, stop: stopping.clone(), limit };
        self.env.spawn.task("shard-owner", Box::pin(owner.run()));
        self.env.spawn.task("shard-watch", Box::pin(watch_group(Arc::clone(&shard), stopping)));
        self.telemetry.shards_open.inc();
        self.telemetry.raft_groups_open.inc();
        Ok(shard)
    }

    /// Why a shard that could not be opened never will be. A group that dies of what it reads says so in words only, but the journal
    /// remembers what it found.
    fn damage(&self, file: GroupId, error: &Error) -> Option<String> {
        match error {
            Error::Group(raft_group::Error::Machine(_)) => Some(error.to_string()),
            _ => found_damaged(&self.journal, file),
        }
    }

    /// A replica on its own leads before it is called open; others find a leader when enough of them are there. The first founder forms
    /// the group, the others only when nothing is heard of that: who forms it campaigns, and one candidate wins sooner than three.
    async fn form(&self, group: &RaftGroup, founders: &[ReplicaId]) -> Result<(), raft_group::Error> {
        if founders.first() == Some(&group.replica()) {
            group.initialize(founders).await?;
        } else if !founders.is_empty() {
            let (late, founders, delay) = (group.clone(), founders.to_vec(), self.options.form_delay);
            let form = async move {
                let nobody_has = matches!(late.wait_formed(delay).await, Err(raft_group::Error::Timeout(_)));
                if nobody_has && let Err(error) = late.initialize(&founders).await {
                    tracing::warn!(group = %late.id(), %error, "the group could not be formed from here");
                }
            };
            self.env.spawn.task("form-group", Box::pin(form));
        }
        if group.is_sole_voter() { group.wait_leader(self.options.open_deadline).await } else { Ok(()) }
    }

    async fn shut_down(&self, shard: &Shard) {
        shard.shut_down().await;
        self.telemetry.shards_open.dec();
        self.telemetry.raft_groups_open.dec();
    }
}

fn compacted(log: &GroupLog) -> u64 {
    log.snapshot().map_or(0, |snapshot| snapshot.log_id.index)
}

/// What the journal has found damaged of a group, if anything.
fn found_damaged(journal: &Journal, file: GroupId) -> Option<String> {
    match journal.group(file) {
        Err(error @ journal::Error::GroupDamaged { .. }) => Some(error.to_string()),
        _ => None,
    }
}

/// Says so when the shard's group dies; ends with the shard.
async fn watch_group(shard: Arc<Shard>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        biased;
        () = stopped(&mut stop) => {}
        reason = shard.group.stopped() => {
            shard.telemetry.raft_groups_stopped.inc();
            shard.fail(match found_damaged(&shard.journal, shard.log.id()) {
                Some(damage) => NoService::Corrupt(damage),
                None => NoService::Unavailable(format!("its group has stopped: {reason}")),
            });
        }
    }
}
