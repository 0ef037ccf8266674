//! The journal of one node: opening, groups, closing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use env::{DirLock, Env};
use parking_lot::Mutex;
use telemetry::Telemetry;
use types::{GroupId, ReplicaId};

use crate::flusher::Flusher;
use crate::frame::{Frame, FrameKind};
use crate::group::{Group, Inner};
use crate::handle::GroupLog;
use crate::log_id::LogId;
use crate::recovery::{Recovered, RecoveryReport, recover};
use crate::shared::Shared;
use crate::writer::Writer;
use crate::{Error, Options, Refusal, layout, set_aside};

/// The journal of one node. Clones share it; the directory stays locked until it is closed, or the last of them is gone.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    lock: Arc<Mutex<Option<Box<dyn DirLock>>>>,
}

impl Journal {
    /// Locks the data directory, recovers what is in it, and starts the writer and the flusher.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Format`], or [`Error::Damaged`] when even the checkpoint cannot be read. Damage to single groups
    /// is in the report, and [`Self::group`] refuses those.
    pub async fn open(env: Env, options: Options, telemetry: Telemetry) -> Result<(Self, RecoveryReport), Error> {
        env.disk.create_dir("").await?;
        let lock = Arc::new(Mutex::new(Some(set_aside::lock(&env.disk).await?)));
        layout::claim(&env.disk).await?;
        let started = env.clock.monotonic();
        let recovered = recover(&env, &options).await?;
        telemetry.recovery_seconds.set((env.clock.monotonic() - started).as_secs_f64());
        let report = recovered.report.clone();
        let shared = start(env, options, telemetry, recovered);
        Ok((Self { shared, lock }, report))
    }

    /// The log of a group, made if there is none.
    ///
    /// # Errors
    /// [`Error::GroupDamaged`] if what is stored of it is damaged.
    pub fn group(&self, id: GroupId) -> Result<GroupLog, Error> {
        if let Some(reason) = self.shared.catalog_loss.get().filter(|_| ReplicaId::is_of_catalog(id)) {
            return Err(Error::GroupDamaged { group: id, reason: reason.clone() });
        }
        let group = {
            let mut groups = self.shared.groups.lock();
            Arc::clone(groups.entry(id).or_insert_with(|| Group::new(id, Inner::default())))
        };
        match group.inner.lock().damaged.clone() {
            Some(reason) => Err(Error::GroupDamaged { group: id, reason }),
            None => Ok(GroupLog { group: Arc::clone(&group), shared: Arc::clone(&self.shared) }),
        }
    }

    /// All groups of which something is stored here.
    pub fn groups(&self) -> Vec<GroupId> {
        self.shared.groups.lock().keys().copied().collect()
    }

    /// Removes all that is stored of a group; durable on return. Its space is given back later. Ids are never used again.
    pub async fn drop_group(&self, id: GroupId) -> Result<(), Error> {
        let Some(group) = self.shared.groups.lock().remove(&id) else { return Ok(()) };
        let (freed, durable) = {
            let mut inner = group.inner.lock();
            inner.dropped = true;
            if inner.damaged.is_some() {
                self.shared.telemetry.groups_damaged.dec();
            }
            let freed = inner.clear();
            let frame = Frame::new(id, FrameKind::Drop, LogId { term: 0, index: 0 }, 0, Bytes::new());
            (freed, self.shared.queue.push_durable(frame))
        };
        self.shared.tail_shrank(freed);
        self.shared.flusher_wake.notify_one();
        durable.await
    }

    /// Whether new records may be taken now. Votes, trims and reads are never refused.
    pub fn admission(&self) -> Result<(), Refusal> {
        self.shared.admission()
    }

    /// From here on nothing is flushed, recycled or removed: the node will not serve, and what it holds stays for whoever can save
    /// something from it. So it is from the start where the catalog is damaged.
    pub fn freeze(&self) {
        self.shared.frozen.store(true, Ordering::Relaxed);
    }

    /// The group's owner cannot serve it, whatever the journal says: it is refused from now on. What the journal holds of it stays as long
    /// as there is room.
    pub fn give_up(&self, id: GroupId, reason: String) {
        let group = self.shared.groups.lock().get(&id).cloned();
        if let Some(group) = group {
            self.shared.mark_damaged(&group, reason);
            let freed = group.inner.lock().set_aside();
            self.shared.tail_shrank(freed);
        }
    }

    /// Writes and syncs what waits, marks the journal's end, stops, and unlocks the directory. Appending afterwards fails.
    pub async fn close(&self) {
        self.shared.queue.close();
        let mut ended = self.shared.ended.subscribe();
        // The writer first: it may still wait for the flusher to recycle a file. Waiting fails only if the sender is gone, and `self`
        // holds it.
        let _ = ended.wait_for(|ended| *ended >= 1).await;
        self.shared.closing.store(true, Ordering::Release);
        self.shared.flusher_wake.notify_one();
        let _ = ended.wait_for(|ended| *ended == 2).await;
        // Nobody writes any more. A task that still holds a clone must not keep the next life of this node from starting.
        drop(self.lock.lock().take());
    }
}

fn start(env: Env, options: Options, telemetry: Telemetry, recovered: Recovered) -> Arc<Shared> {
    let dedicated = env.for_dedicated();
    let spawn = Arc::clone(&env.spawn);
    let shared = Arc::new(Shared::new(env, options, telemetry, recovered.lsns, recovered.segment_files));
    let mut tail_bytes = 0;
    {
        let mut groups = shared.groups.lock();
        for (id, inner) in recovered.groups {
            tail_bytes += inner.tail_bytes();
            if inner.damaged.is_some() {
                shared.telemetry.groups_damaged.inc();
            }
            groups.insert(id, Group::new(id, inner));
        }
    }
    if let Some(reason) = recovered.catalog_loss {
        // A node without its catalog serves nothing.
        shared.frozen.store(true, Ordering::Relaxed);
        let _ = shared.catalog_loss.set(reason);
    }
    shared.tail_grew(tail_bytes);
    *shared.segments.lock() = recovered.segments;
    *shared.pool.lock() = recovered.pool;
    let writer = Writer { shared: Arc::clone(&shared), position: recovered.position };
    let flusher = Flusher {
        shared: Arc::clone(&shared),
        disk: dedicated.disk,
        checkpoint: recovered.checkpoint,
        trash: recovered.leftovers.into(),
        is_short: false,
        files_noted: 0,
        flushed_at: Default::default(),
    };
    spawn.dedicated("journal", Box::pin(writer.run()));
    spawn.dedicated("flusher", Box::pin(flusher.run()));
    shared
}
