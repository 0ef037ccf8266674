use bytes::Bytes;
use journal::{FrameKind, LogId, Snapshot};
use types::{RecordNumber, TimestampMs};

/// A committed entry, as a state machine sees it.
#[derive(Clone, Copy, Debug)]
pub struct CommittedEntry<'a> {
    /// Its position.
    pub log_id: LogId,
    /// Blank, normal or membership; only normal ones have a payload.
    pub kind: FrameKind,
    /// What was proposed.
    pub payload: &'a Bytes,
}

/// What applying an entry gave.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The answer to the proposer, if it still waits.
    pub reply: Bytes,
    /// The number of the entry's first record; of the next one to come if it has none.
    pub first_record: RecordNumber,
    /// How many records it has.
    pub count: u32,
    /// Their arrival; the newest one so far if it has none.
    pub arrival: TimestampMs,
}

/// A state that cannot be restored.
#[derive(Debug, thiserror::Error)]
#[error("the stored state cannot be restored: {0}")]
pub struct MachineError(pub String);

/// A replicated state machine: pure, synchronous, and the same on every replica.
pub trait Machine: Send + Sync + 'static {
    /// Applies one committed entry. Called in log order, once per entry and life of the process.
    fn apply(&mut self, entry: CommittedEntry<'_>) -> Applied;

    /// After each batch of entries: makes what readers may see visible to them.
    fn applied_batch(&mut self) {}

    /// The small state after the last applied entry, to be kept with the segments; `None` if the machine only takes snapshots.
    fn checkpoint(&self) -> Option<Bytes>;

    /// The state to begin a new replica with, and the entry it belongs to: for a shard its state *at the trim point*, so that every
    /// retained record remains an entry of the log; `None` if there is nothing to compact.
    fn snapshot(&self) -> Option<Snapshot>;

    /// Replaces the state by one that [`Self::checkpoint`] or [`Self::snapshot`] gave.
    ///
    /// # Errors
    /// If it is not one.
    fn restore(&mut self, log_id: LogId, state: &Bytes) -> Result<(), MachineError>;
}
