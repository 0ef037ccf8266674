//! openraft's state machine over a [`Machine`].

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use env::Spawn;
use futures_util::{Stream, StreamExt};
use journal::{Assigned, FrameKind, GroupLog, LogId, Snapshot};
use openraft::OptionalSend;
use openraft::storage::{ApplyResponder, EntryResponder, RaftStateMachine};
use openraft::type_config::alias::{SnapshotMetaOf, SnapshotOf};
use types::planted::{self, Bug};

use crate::claims::AppliedTerm;
use crate::config::{Config, Entry, Payload, RaftLogId, Reply};
use crate::log_store::io_error;
use crate::snapshot::{SnapshotBuilder, SnapshotBytes, meta};
use crate::stored::{self, Envelope, Stored};
use crate::{Applied, CommittedEntry, Error, Machine};

/// Entries applied before readers and proposers hear of them. After a restart millions may be applied at once, and what is noted of
/// each of them waits in memory.
const SETTLE_ENTRIES: usize = 1024;

/// The machine, where it stands, and the memberships since its snapshot.
pub(crate) struct StateMachine {
    log: GroupLog,
    machine: Box<dyn Machine>,
    spawn: Arc<dyn Spawn>,
    applied: Option<LogId>,
    /// The term of `applied`, for those outside.
    applied_term: Arc<AppliedTerm>,
    /// Oldest first; never empty; the last one is in force.
    memberships: Vec<Stored>,
}

/// Applied entries that nobody has heard of yet.
#[derive(Default)]
struct Batch {
    assigned: Vec<Assigned>,
    replies: Vec<(ApplyResponder<Config>, Bytes)>,
}

impl StateMachine {
    /// The machine as the log last knew it: at its checkpoint or its snapshot, whichever is later. openraft applies what follows.
    pub(crate) fn restore(
        log: GroupLog,
        machine: Box<dyn Machine>,
        spawn: Arc<dyn Spawn>,
        applied_term: Arc<AppliedTerm>,
    ) -> Result<Self, Error> {
        let mut restored =
            Self { log, machine, spawn, applied: None, applied_term, memberships: vec![Stored::default()] };
        let newest =
            restored.log.checkpoint().into_iter().chain(restored.log.snapshot()).max_by_key(|state| state.log_id);
        if let Some(newest) = newest {
            restored.replace(newest.log_id, &newest.state)?;
        }
        Ok(restored)
    }

    fn replace(&mut self, log_id: LogId, bytes: &Bytes) -> Result<(), Error> {
        let envelope = Envelope::decode(bytes).map_err(|error| crate::MachineError(error.to_string()))?;
        self.machine.restore(log_id, &envelope.state)?;
        self.applied = Some(log_id);
        if !envelope.memberships.is_empty() {
            self.memberships = envelope.memberships;
        }
        Ok(())
    }

    fn apply_one(&mut self, entry: &Entry) -> Applied {
        let _guard = AbortOnPanic { spawn: &self.spawn, log: &self.log };
        let log_id = stored::from_raft(&entry.log_id);
        let empty = Bytes::new();
        let (kind, payload) = match &entry.payload {
            Payload::Blank => (FrameKind::Blank, &empty),
            Payload::Normal(proposal) => (FrameKind::Normal, &proposal.0),
            Payload::Membership(members) => {
                self.memberships.push(Stored::new(Some(entry.log_id), members.clone()));
                (FrameKind::Membership, &empty)
            }
        };
        self.applied = Some(log_id);
        self.machine.apply(CommittedEntry { log_id, kind, payload })
    }

    /// Lets readers see what has been applied, then tells the proposers: whoever is told that a record is stored can read it.
    fn settle(&mut self, batch: &mut Batch) {
        if batch.assigned.is_empty() {
            return;
        }
        let _guard = AbortOnPanic { spawn: &self.spawn, log: &self.log };
        let state = self.machine.checkpoint().map(|state| Envelope::encode(&self.memberships, &state));
        self.log.applied(&batch.assigned, state);
        self.machine.applied_batch();
        if let Some(applied) = self.applied {
            self.applied_term.set(applied.term);
        }
        batch.assigned.clear();
        batch.replies.drain(..).for_each(|(responder, reply)| responder.send(Reply(reply)));
    }

    /// Where the machine's snapshot would stand.
    pub(crate) fn snapshot_position(&self) -> Option<LogId> {
        if planted::active(Bug::SnapshotAtAppliedIndex) {
            return self.machine.snapshot().and(self.applied);
        }
        self.machine.snapshot().map(|snapshot| snapshot.log_id)
    }

    /// What a new replica begins with, with the membership in force there.
    fn snapshot(&mut self) -> Option<Snapshot> {
        let mut snapshot = self.machine.snapshot()?;
        if planted::active(Bug::SnapshotAtAppliedIndex) {
            snapshot = Snapshot { log_id: self.applied?, state: self.machine.checkpoint().unwrap_or(snapshot.state) };
        }
        let position = Some(stored::to_raft(snapshot.log_id));
        let at = self.memberships.partition_point(|membership| *membership.log_id() <= position).max(1);
        // Older ones are of no use any more: nobody will ask for an older snapshot.
        self.memberships.drain(..at - 1);
        let state = Envelope::encode(&self.memberships[..1], &snapshot.state);
        Some(Snapshot { log_id: snapshot.log_id, state })
    }
}

impl RaftStateMachine<Config> for StateMachine {
    type SnapshotData = SnapshotBytes;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> io::Result<(Option<RaftLogId>, Stored)> {
        let membership = self.memberships.last().cloned().unwrap_or_default();
        Ok((self.applied.map(stored::to_raft), membership))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> io::Result<()>
    where
        Strm: Stream<Item = io::Result<EntryResponder<Config>>> + Unpin + OptionalSend,
    {
        let mut batch = Batch::default();
        let result = loop {
            let (entry, responder) = match entries.next().await {
                None => break Ok(()),
                Some(Err(error)) => break Err(error),
                Some(Ok(next)) => next,
            };
            let applied = self.apply_one(&entry);
            batch.assigned.push(Assigned {
                index: entry.log_id.index(),
                first_record: applied.first_record,
                count: applied.count,
                arrival: applied.arrival,
            });
            batch.replies.extend(responder.map(|responder| (responder, applied.reply)));
            if batch.assigned.len() >= SETTLE_ENTRIES {
                self.settle(&mut batch);
            }
        };
        self.settle(&mut batch);
        result
    }

    async fn try_create_snapshot_builder(&mut self, force: bool) -> Option<SnapshotBuilder> {
        let snapshot = self.snapshot();
        (force || snapshot.is_some()).then(|| SnapshotBuilder { log: self.log.clone(), snapshot })
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder { log: self.log.clone(), snapshot: self.snapshot() }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMetaOf<Config>, snapshot: SnapshotBytes) -> io::Result<()> {
        let Some(position) = &meta.last_log_id else { return Ok(()) };
        let log_id = stored::from_raft(position);
        self.replace(log_id, &snapshot.0).map_err(io::Error::other)?;
        self.machine.applied_batch();
        tracing::debug!(group = %self.log.id(), %log_id, "a leader's snapshot installed");
        self.log.save_snapshot(Snapshot { log_id, state: snapshot.0 }).await.map_err(io_error)
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<SnapshotOf<Config, SnapshotBytes>>> {
        let Some(snapshot) = self.log.snapshot() else { return Ok(None) };
        let meta = meta(&snapshot)?;
        Ok(Some(SnapshotOf::<Config, SnapshotBytes> { meta, snapshot: SnapshotBytes(snapshot.state) }))
    }
}

/// openraft's tasks swallow a panic, as tokio's do. The released program aborts on one, and so must the simulated one: a machine that
/// has stopped half-way through an entry may not go on.
struct AbortOnPanic<'a> {
    spawn: &'a Arc<dyn Spawn>,
    log: &'a GroupLog,
}

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(self.spawn.abort(&format!("the state machine of group {} panicked", self.log.id())));
        }
    }
}
