use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use env::Env;
use journal::{GroupLog, Journal, Refusal};
use parking_lot::Mutex;
use raft_group::{Leadership, RaftGroup};
use shard_state::{Batch, Phase, ShardIdentity};
use telemetry::Telemetry;
use tokio::sync::{mpsc, oneshot, watch};
use types::{GroupId, ReplicaId};

use crate::AppendError;
use crate::budget::{Budget, Lease};
use crate::clock::NodeClock;
use crate::error::NoService;
use crate::limits::{Cut, ReadLimiter, WriteLimiter};
use crate::machine::Published;
use crate::milestones::Milestones;
use crate::owner::{Answer, Put, Waiting};
use crate::retention::Trimming;

/// What a put counts beside its bytes, so that the number of those that wait is bounded too.
const PUT_BYTES: usize = 512;

/// One shard that this node serves.
pub(crate) struct Shard {
    pub(crate) env: Env,
    pub(crate) journal: Journal,
    pub(crate) telemetry: Telemetry,
    pub(crate) clock: Arc<NodeClock>,
    pub(crate) group_id: GroupId,
    pub(crate) replica: ReplicaId,
    pub(crate) identity: ShardIdentity,
    pub(crate) group: RaftGroup,
    pub(crate) log: GroupLog,
    pub(crate) published: watch::Receiver<Published>,
    pub(crate) milestones: Arc<Milestones>,
    pub(crate) puts: mpsc::UnboundedSender<Put>,
    pub(crate) node_queue: Budget,
    pub(crate) queue: Budget,
    pub(crate) writes: Mutex<WriteLimiter>,
    pub(crate) reads: Mutex<ReadLimiter>,
    pub(crate) retention_ms: AtomicU64,
    pub(crate) trimming: tokio::sync::Mutex<Trimming>,
    pub(crate) batch_bytes_max: u64,
    pub(crate) append_deadline: Duration,
    /// Set once, when the shard has ceased to serve.
    pub(crate) failure: OnceLock<NoService>,
    /// Set to end the tasks; each holds a receiver as long as it runs.
    pub(crate) stop: watch::Sender<bool>,
}

impl Shard {
    /// The newest state that readers may see.
    pub(crate) fn published(&self) -> Published {
        *self.published.borrow()
    }

    /// Whether the shard can be written and read here.
    pub(crate) fn serves(&self) -> Result<(), NoService> {
        if let Some(failure) = self.failure.get() {
            return Err(failure.clone());
        }
        match self.group.leadership() {
            Leadership::Leads => Ok(()),
            Leadership::Elsewhere(leader) => Err(NoService::NotLeader { leader }),
        }
    }

    /// Takes the shard out of service, for good; says so once.
    pub(crate) fn fail(&self, failure: NoService) -> NoService {
        self.failure
            .get_or_init(|| {
                tracing::error!(group = %self.group_id, shard = ?self.identity, ?failure, "the shard stops serving on this node");
                failure
            })
            .clone()
    }

    /// Puts a batch, or as much of its beginning as the write limit allows. `tried_for`: see [`crate::DataPlane::append`].
    pub(crate) async fn append(&self, batch: Batch, tried_for: Option<Duration>) -> Answer {
        self.serves()?;
        // Known now, since nobody knows how long the put will wait for its turn.
        let repeated_since = match tried_for {
            Some(tried_for) => Some(self.first_appended(tried_for).await?),
            None => None,
        };
        if let Some(appended) = self.found_again(batch.id, repeated_since).await? {
            return Ok(appended);
        }
        let (phase, next_record, arrival) = {
            let published = self.published.borrow();
            (published.phase, published.next_record, published.last_arrival)
        };
        if phase != Phase::Open {
            return Err(AppendError::Closed);
        }
        if batch.count == 0 {
            return Ok(crate::Appended { first_record: next_record, arrival, accepted: 0 });
        }
        let lease = self.admit(&batch)?;
        let batch = self.within_limits(batch)?;
        let (answer, answered) = oneshot::channel();
        let put = Put { batch, repeated_since, waiting: Waiting { answer, lease } };
        let closed = |_| AppendError::Unavailable("it is being closed on this node".into());
        self.puts.send(put).map_err(closed)?;
        // An owner that ends without an answer may have proposed the entry before.
        answered.await.unwrap_or_else(|_| Err(AppendError::Unknown("the shard's task has ended".into())))
    }

    fn admit(&self, batch: &Batch) -> Result<Lease, AppendError> {
        let (bytes, bytes_max) = (batch.bytes.len() as u64, self.batch_bytes_max);
        if bytes > bytes_max {
            return Err(AppendError::TooLarge { bytes, bytes_max });
        }
        self.journal.admission().map_err(|refusal| match refusal {
            Refusal::DiskFull => AppendError::DiskFull,
            Refusal::Overloaded => AppendError::Overloaded,
        })?;
        let counted = batch.bytes.len() + PUT_BYTES;
        let mut lease = Lease::new(&self.telemetry.put_queued_bytes);
        let of_shard = self.queue.try_take(counted).ok_or(AppendError::Overloaded)?;
        let of_node = self.node_queue.try_take(counted).ok_or(AppendError::Overloaded)?;
        lease.hold(of_shard);
        lease.add(of_node);
        Ok(lease)
    }

    fn within_limits(&self, batch: Batch) -> Result<Batch, AppendError> {
        let now = self.clock.monotonic();
        let Cut { count, bytes } = self.writes.lock().take(now, &batch).map_err(AppendError::Malformed)?;
        self.telemetry.put_throttled_records.inc_by(u64::from(batch.count - count));
        match count {
            0 => Err(AppendError::Throttled),
            count if count == batch.count => Ok(batch),
            count => Ok(Batch { bytes: batch.bytes.slice(..bytes), count, ..batch }),
        }
    }

    /// Milliseconds for which records stay readable.
    pub(crate) fn retention_ms(&self) -> u64 {
        self.retention_ms.load(Ordering::Relaxed)
    }

    /// Ends the tasks when every put that was admitted is answered, then the group.
    pub(crate) async fn shut_down(&self) {
        self.stop.send_replace(true);
        self.stop.closed().await;
        self.group.shutdown().await;
    }
}

/// Completes when `stop` is set, or nobody is left to set it.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The error says that nobody is left.
    let _ = stop.wait_for(|stop| *stop).await;
}
