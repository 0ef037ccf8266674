use bytes::Bytes;
use journal::{FrameKind, LogId, Snapshot};
use raft_group::{Applied, CommittedEntry, Machine, MachineError};
use shard_state::{Command, Phase, ShardIdentity, ShardState, TrimPoint};
use tokio::sync::watch;
use types::planted::{self, Bug};
use types::{RecordNumber, TimestampMs};

use crate::reply;

/// What readers may see of a shard: it moves only after an entry is applied, and its records are readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Published {
    /// Records below this may be read.
    pub(crate) next_record: RecordNumber,
    /// Where the retained records begin.
    pub(crate) trim: TrimPoint,
    /// Whether the shard takes records.
    pub(crate) phase: Phase,
    /// The newest arrival.
    pub(crate) last_arrival: TimestampMs,
}

impl Published {
    fn of(state: &ShardState) -> Published {
        Published {
            next_record: state.next_record(),
            trim: state.trim(),
            phase: state.phase(),
            last_arrival: state.last_arrival(),
        }
    }
}

/// A shard as a state machine of a Raft group. Its snapshot is its state at the trim point: every retained record stays an entry
/// of the log.
pub(crate) struct ShardMachine {
    state: ShardState,
    published: watch::Sender<Published>,
    progress: Progress,
}

/// Told of how far the shard is after each batch.
pub(crate) type Progress = Box<dyn Fn(RecordNumber) + Send + Sync>;

impl ShardMachine {
    /// A new shard, and where its states appear.
    pub(crate) fn new(identity: ShardIdentity, progress: Progress) -> (ShardMachine, watch::Receiver<Published>) {
        let state = ShardState::new(identity);
        let (published, readers) = watch::channel(Published::of(&state));
        (ShardMachine { state, published, progress }, readers)
    }

    fn run(&mut self, index: u64, payload: &Bytes) -> shard_state::Applied {
        // A command that this version can't read would give records other numbers than on other replicas, without anyone noticing.
        // The checksum of the entry was good, so this is a newer version's data.
        let command = Command::decode(payload)
            .unwrap_or_else(|error| panic!("entry {index} of a shard is no command of this version: {error}"));
        self.state.apply(index, &command)
    }
}

impl Machine for ShardMachine {
    fn apply(&mut self, entry: CommittedEntry<'_>) -> Applied {
        let index = entry.log_id.index;
        if entry.kind == FrameKind::Normal {
            let applied = self.run(index, entry.payload);
            let reply = reply::encode(&applied);
            return Applied {
                reply,
                first_record: applied.first_record,
                count: applied.count,
                arrival: applied.arrival,
            };
        }
        // The very first entry, at 0, is the group's membership; the state counts from 1.
        if index > 0 {
            self.state.pass(index);
        }
        let (first_record, arrival) = (self.state.next_record(), self.state.last_arrival());
        Applied { reply: Bytes::new(), first_record, count: 0, arrival }
    }

    fn applied_batch(&mut self) {
        (self.progress)(self.state.next_record());
        self.published.send_replace(Published::of(&self.state));
    }

    fn checkpoint(&self) -> Option<Bytes> {
        Some(Bytes::copy_from_slice(&self.state.encode()))
    }

    fn snapshot(&self) -> Option<Snapshot> {
        let trim = self.state.trim();
        let log_id = LogId { term: trim.term, index: trim.index };
        let state = || Bytes::copy_from_slice(&self.state.at_trim_point().encode());
        (trim != TrimPoint::NONE).then(|| Snapshot { log_id, state: state() })
    }

    fn restore(&mut self, log_id: LogId, state: &Bytes) -> Result<(), MachineError> {
        let restored = ShardState::decode(state).map_err(|error| MachineError(error.to_string()))?;
        if restored.identity() != self.state.identity() {
            let (stored, wanted) = (restored.identity(), self.state.identity());
            return Err(MachineError(format!("it belongs to {stored:?}, not to {wanted:?}")));
        }
        if restored.applied_index() != log_id.index {
            return Err(MachineError(format!("it stands at {}, not at {log_id}", restored.applied_index())));
        }
        self.state = restored;
        if self.state.trim() != TrimPoint::NONE {
            tracing::debug!(next_record = %self.state.trim().next_record, "shard restored behind its trim point");
        }
        if planted::active(Bug::SequenceNumberReused) && self.state.trim().index < log_id.index {
            self.state = self.state.at_trim_point();
            self.state.pass(log_id.index);
        }
        self.applied_batch();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
