use types::{RecordNumber, SequenceNumber, ShardId, TimestampMs};

use crate::{Command, FormatError, TrimPoint};

/// Which shard this is: what its sequence numbers carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardIdentity {
    /// The shard's index in its stream.
    pub shard: ShardId,
    /// Second of its creation, since 1970.
    pub created_sec: u64,
}

/// Whether a shard takes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It does.
    Open,
    /// It never will again.
    Closed {
        /// When: not before the last record's arrival.
        at: TimestampMs,
        /// Log index of the entry that closed it, so that the state at an earlier trim point is known to be open.
        index: u64,
    },
}

/// What an entry did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The records have their numbers.
    Accepted,
    /// The shard was closed before: the records go to its children and have no numbers here.
    RejectedClosed,
    /// The shard is closed from here on.
    Closed,
    /// It was closed before.
    AlreadyClosed,
    /// The trim point has moved.
    Trimmed,
    /// The trim point was there or further already.
    StaleTrim,
    /// The trim point lies ahead of what this log holds, or contradicts it; it has not moved.
    RejectedTrim,
}

/// What an entry did, and with which numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Number of the entry's first record; the others follow it without a gap. Without records the next number.
    pub first_record: RecordNumber,
    /// How many records were accepted; 0 when none.
    pub count: u32,
    /// Arrival time of the records; of other entries the shard's last one.
    pub arrival: TimestampMs,
    /// What happened.
    pub outcome: Outcome,
}

/// The state of one shard after some entry of its log. Pointers, in order:
/// `trim.index <= applied_index` and `trim.next_record <= next_record`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardState {
    identity: ShardIdentity,
    phase: Phase,
    next_record: RecordNumber,
    last_arrival: TimestampMs,
    trim: TrimPoint,
    applied_index: u64,
}

impl ShardState {
    /// A new shard: open, without records.
    #[must_use]
    pub fn new(identity: ShardIdentity) -> ShardState {
        ShardState {
            identity,
            phase: Phase::Open,
            next_record: RecordNumber::FIRST,
            last_arrival: TimestampMs(0),
            trim: TrimPoint::NONE,
            applied_index: 0,
        }
    }

    /// Puts a decoded state together.
    pub(crate) fn from_parts(
        identity: ShardIdentity,
        phase: Phase,
        next_record: RecordNumber,
        last_arrival: TimestampMs,
        trim: TrimPoint,
        applied_index: u64,
    ) -> Result<ShardState, FormatError> {
        let state = ShardState { identity, phase, next_record, last_arrival, trim, applied_index };
        match state.contradiction() {
            Some(what) => Err(FormatError::Contradiction(what)),
            None => Ok(state),
        }
    }

    fn contradiction(&self) -> Option<&'static str> {
        if self.identity.shard > ShardId::MAX {
            return Some("shard index");
        }
        if self.next_record > RecordNumber::CLOSING {
            return Some("next record");
        }
        if self.trim != TrimPoint::NONE && self.trim.index == 0 || !self.trim.is_at_or_after(&TrimPoint::NONE) {
            return Some("trim point of nothing");
        }
        if !self.holds(&self.trim) {
            return Some("trim point ahead of the state");
        }
        match self.phase {
            Phase::Closed { at, index } if index == 0 || index > self.applied_index || at > self.last_arrival => {
                Some("closed ahead of the state")
            }
            _ => None,
        }
    }

    /// Whether the log up to here can have been in that state before.
    fn holds(&self, point: &TrimPoint) -> bool {
        point.index <= self.applied_index
            && point.next_record <= self.next_record
            && point.last_arrival <= self.last_arrival
    }

    /// Applies the entry at a log index and says what it did. The same entries give the same states on every replica.
    ///
    /// # Panics
    /// When `index` is not beyond the applied one: applying an entry twice would give its records two numbers.
    pub fn apply(&mut self, index: u64, command: &Command) -> Applied {
        let first_record = self.next_record;
        let (outcome, count) = match command {
            Command::Put { arrival, count, .. } => self.apply_put(*arrival, *count),
            Command::Close { at } => (self.apply_close(index, *at), 0),
            Command::Trim(point) => (self.apply_trim(index, *point), 0),
        };
        self.pass(index);
        Applied { first_record, count, arrival: self.last_arrival, outcome }
    }

    /// Passes over an entry that isn't a command (a leader's empty entry, a change of members), or several.
    ///
    /// # Panics
    /// When `index` is not beyond the applied one.
    pub fn pass(&mut self, index: u64) {
        assert!(index > self.applied_index, "entry {index} applied twice: the state is at {}", self.applied_index);
        self.applied_index = index;
    }

    fn apply_put(&mut self, arrival: TimestampMs, count: u32) -> (Outcome, u32) {
        if self.phase != Phase::Open {
            return (Outcome::RejectedClosed, 0);
        }
        let next = self.next_record.0 + u64::from(count);
        assert!(next <= RecordNumber::CLOSING.0, "out of record numbers, which takes longer than there are disks");
        self.next_record = RecordNumber(next);
        self.advance_arrival(arrival);
        (Outcome::Accepted, count)
    }

    fn apply_close(&mut self, index: u64, at: TimestampMs) -> Outcome {
        if self.phase != Phase::Open {
            return Outcome::AlreadyClosed;
        }
        self.advance_arrival(at);
        self.phase = Phase::Closed { at: self.last_arrival, index };
        Outcome::Closed
    }

    fn apply_trim(&mut self, index: u64, point: TrimPoint) -> Outcome {
        if point.index <= self.trim.index {
            return Outcome::StaleTrim;
        }
        if point.index >= index || !self.holds(&point) || !point.is_at_or_after(&self.trim) {
            return Outcome::RejectedTrim;
        }
        self.trim = point;
        Outcome::Trimmed
    }

    /// A leader's clock may lie behind its predecessor's; arrival times never run backwards within a shard.
    fn advance_arrival(&mut self, at: TimestampMs) {
        self.last_arrival = self.last_arrival.max(at);
    }

    /// The state as it was at the trim point: what a snapshot holds. Applying the entries after the trim point to it
    /// leads to this state again.
    #[must_use]
    pub fn at_trim_point(&self) -> ShardState {
        let phase = match self.phase {
            Phase::Closed { index, .. } if index <= self.trim.index => self.phase,
            _ => Phase::Open,
        };
        ShardState {
            identity: self.identity,
            phase,
            next_record: self.trim.next_record,
            last_arrival: self.trim.last_arrival,
            trim: self.trim,
            applied_index: self.trim.index,
        }
    }

    /// The state here and now as a trim point, given the Raft term of the entry at the applied index: for a trim that is
    /// to be proposed once all records up to here have passed their retention.
    #[must_use]
    pub fn as_trim_point(&self, term: u64) -> TrimPoint {
        TrimPoint { index: self.applied_index, term, next_record: self.next_record, last_arrival: self.last_arrival }
    }

    /// The sequence number of one of this shard's records.
    #[must_use]
    pub fn sequence_number(&self, record: RecordNumber, arrival: TimestampMs) -> SequenceNumber {
        self.identity.sequence_number(record, arrival)
    }

    /// The closed shard's ending sequence number; `None` while it is open.
    #[must_use]
    pub fn ending_sequence_number(&self) -> Option<SequenceNumber> {
        match self.phase {
            Phase::Open => None,
            Phase::Closed { at, .. } => {
                Some(SequenceNumber::closing(self.identity.created_sec, at.seconds(), self.identity.shard))
            }
        }
    }

    /// Which shard this is.
    #[must_use]
    pub fn identity(&self) -> ShardIdentity {
        self.identity
    }

    /// Whether it takes records.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether it takes records.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// The number of the next record.
    #[must_use]
    pub fn next_record(&self) -> RecordNumber {
        self.next_record
    }

    /// The last arrival time given; 0 before the first.
    #[must_use]
    pub fn last_arrival(&self) -> TimestampMs {
        self.last_arrival
    }

    /// Where the retained records begin.
    #[must_use]
    pub fn trim(&self) -> TrimPoint {
        self.trim
    }

    /// Log index of the last entry applied; 0 before the first.
    #[must_use]
    pub fn applied_index(&self) -> u64 {
        self.applied_index
    }
}

impl ShardIdentity {
    /// The sequence number of one of the shard's records.
    #[must_use]
    pub fn sequence_number(&self, record: RecordNumber, arrival: TimestampMs) -> SequenceNumber {
        SequenceNumber::new(self.created_sec, record, arrival.seconds(), self.shard)
    }

    /// The sequence number at which the shard begins, below each of its records.
    #[must_use]
    pub fn starting_sequence_number(&self) -> SequenceNumber {
        SequenceNumber::starting(self.created_sec, self.shard)
    }
}

#[cfg(test)]
mod tests;
