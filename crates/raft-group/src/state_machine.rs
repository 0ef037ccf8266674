//! openraft's state machine over a [`Machine`].

use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use journal::{Assigned, FrameKind, GroupLog, LogId, Snapshot};
use openraft::storage::{ApplyResponder, EntryResponder, RaftStateMachine};
use openraft::type_config::alias::{SnapshotMetaOf, SnapshotOf};
use openraft::{OptionalSend, RaftSnapshotBuilder};
use types::planted::{self, Bug};

use crate::config::{Config, Entry, Payload, RaftLogId, Reply};
use crate::log_store::io_error;
use crate::stored::{self, Envelope, Stored};
use crate::{Applied, CommittedEntry, Error, Machine};

/// A snapshot as it is stored and sent: an envelope.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotBytes(Bytes);

/// The machine, where it stands, and the memberships since its snapshot.
pub(crate) struct StateMachine {
    log: GroupLog,
    machine: Box<dyn Machine>,
    applied: Option<LogId>,
    /// Oldest first; never empty; the last one is in force.
    memberships: Vec<Stored>,
}

impl StateMachine {
    /// The machine as the log last knew it: at its checkpoint or its snapshot, whichever is later. openraft applies what follows.
    pub(crate) fn restore(log: GroupLog, machine: Box<dyn Machine>) -> Result<Self, Error> {
        let mut restored = Self { log, machine, applied: None, memberships: vec![Stored::default()] };
        let newest = restored.log.checkpoint().into_iter().chain(restored.log.snapshot()).max_by_key(|state| state.log_id);
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

/// Where the stored snapshot stands, for openraft.
fn meta(snapshot: &Snapshot) -> io::Result<SnapshotMetaOf<Config>> {
    let mut memberships = Envelope::decode(&snapshot.state)?.memberships;
    Ok(SnapshotMetaOf::<Config> {
        last_log_id: Some(stored::to_raft(snapshot.log_id)),
        last_membership: memberships.pop().unwrap_or_default(),
    })
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
        let mut assigned = Vec::new();
        let mut replies: Vec<(ApplyResponder<Config>, Bytes)> = Vec::new();
        let mut failed = None;
        while let Some(next) = entries.next().await {
            let (entry, responder) = match next {
                Ok(next) => next,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let applied = self.apply_one(&entry);
            assigned.push(Assigned {
                index: entry.log_id.index(),
                first_record: applied.first_record,
                count: applied.count,
                arrival: applied.arrival,
            });
            replies.extend(responder.map(|responder| (responder, applied.reply)));
        }
        let state = self.machine.checkpoint().map(|state| Envelope::encode(&self.memberships, &state));
        self.log.applied(&assigned, state);
        self.machine.applied_batch();
        // Only now: whoever is told that a record is stored can read it.
        replies.into_iter().for_each(|(responder, reply)| responder.send(Reply(reply)));
        failed.map_or(Ok(()), Err)
    }

    async fn try_create_snapshot_builder(&mut self, _: bool) -> Option<SnapshotBuilder> {
        let snapshot = self.snapshot()?;
        Some(SnapshotBuilder { log: self.log.clone(), snapshot })
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        unreachable!("openraft asks try_create_snapshot_builder")
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMetaOf<Config>, snapshot: SnapshotBytes) -> io::Result<()> {
        let Some(position) = &meta.last_log_id else { return Ok(()) };
        let log_id = stored::from_raft(position);
        self.replace(log_id, &snapshot.0).map_err(io::Error::other)?;
        self.machine.applied_batch();
        self.log.save_snapshot(Snapshot { log_id, state: snapshot.0 }).await.map_err(io_error)
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<SnapshotOf<Config, SnapshotBytes>>> {
        let Some(snapshot) = self.log.snapshot() else { return Ok(None) };
        let meta = meta(&snapshot)?;
        Ok(Some(SnapshotOf::<Config, SnapshotBytes> { meta, snapshot: SnapshotBytes(snapshot.state) }))
    }
}

/// A snapshot taken, on its way to the disk.
pub(crate) struct SnapshotBuilder {
    log: GroupLog,
    snapshot: Snapshot,
}

impl RaftSnapshotBuilder<Config> for SnapshotBuilder {
    type SnapshotData = SnapshotBytes;

    async fn build_snapshot(&mut self) -> io::Result<SnapshotOf<Config, SnapshotBytes>> {
        let snapshot = self.snapshot.clone();
        let meta = meta(&snapshot)?;
        self.log.save_snapshot(snapshot.clone()).await.map_err(io_error)?;
        Ok(SnapshotOf::<Config, SnapshotBytes> { meta, snapshot: SnapshotBytes(snapshot.state) })
    }
}
