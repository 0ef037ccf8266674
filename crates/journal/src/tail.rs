//! A group's newest entries in memory.

use std::collections::VecDeque;

use bytes::Bytes;
use types::{RecordNumber, TimestampMs};

use crate::frame::Frame;

/// Memory of one entry beside its bytes: the deque's slot and the buffer's header.
const OVERHEAD_BYTES: u64 = 160;

/// What the state machine gave one applied entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The entry.
    pub index: u64,
    /// The number of its first record; of the next one to come if it has none.
    pub first_record: RecordNumber,
    /// How many records it gave numbers to.
    pub count: u32,
    /// When they arrived; the newest arrival so far if it has none. Never decreases within a group.
    pub arrival: TimestampMs,
}

impl Assigned {
    /// The number after the entry's last record.
    pub fn end_record(&self) -> u64 {
        self.first_record.0 + u64::from(self.count)
    }
}

pub(crate) struct TailEntry {
    pub(crate) frame: Frame,
    /// The entry's place in the journal's queue, by which its block is found.
    pub(crate) item: u64,
    /// Set once the entry is committed and applied.
    pub(crate) assigned: Option<Assigned>,
    /// Whether each checkpoint holds it, so that the journal need not.
    pub(crate) carried: bool,
}

impl TailEntry {
    pub(crate) fn bytes(&self) -> u64 {
        bytes_of(&self.frame)
    }
}

/// The memory that an entry in a tail takes.
pub(crate) fn bytes_of(frame: &Frame) -> u64 {
    frame.encoded_len() as u64 + OVERHEAD_BYTES
}

/// Entries without a hole, oldest first. A prefix of them is applied.
#[derive(Default)]
pub(crate) struct Tail {
    entries: VecDeque<TailEntry>,
}

impl Tail {
    pub(crate) fn first_index(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.frame.log_id.index)
    }

    pub(crate) fn last(&self) -> Option<&TailEntry> {
        self.entries.back()
    }

    pub(crate) fn front(&self) -> Option<&TailEntry> {
        self.entries.front()
    }

    pub(crate) fn push(&mut self, entry: TailEntry) {
        if let Some(last) = self.last() {
            assert_eq!(entry.frame.log_id.index, last.frame.log_id.index + 1, "a log has no holes");
            assert!(entry.frame.log_id.term >= last.frame.log_id.term, "terms never decrease");
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn pop_front(&mut self) -> Option<TailEntry> {
        self.entries.pop_front()
    }

    pub(crate) fn pop_back(&mut self) -> Option<TailEntry> {
        self.entries.pop_back()
    }

    fn slot(&self, index: u64) -> Option<usize> {
        let slot = index.checked_sub(self.first_index()?)? as usize;
        (slot < self.entries.len()).then_some(slot)
    }

    /// Notes what an entry was given; ignores entries that have already left the tail.
    pub(crate) fn assign(&mut self, assigned: Assigned) {
        if let Some(slot) = self.slot(assigned.index) {
            let earlier = slot.checked_sub(1).and_then(|slot| self.entries[slot].assigned);
            assert!(slot == 0 || earlier.is_some(), "entries are applied in order");
            if let Some(earlier) = earlier {
                assert!(assigned.first_record.0 == earlier.end_record(), "record numbers have no holes");
                assert!(assigned.arrival >= earlier.arrival, "arrival never runs backwards");
            }
            self.entries[slot].assigned = Some(assigned);
        }
    }

    /// The entries from `index` on.
    pub(crate) fn since(&self, index: u64) -> impl Iterator<Item = &TailEntry> {
        let slot = index.saturating_sub(self.first_index().unwrap_or(index)) as usize;
        self.entries.range(slot.min(self.entries.len())..)
    }

    /// The same, to change them. Not what tells their order.
    pub(crate) fn since_mut(&mut self, index: u64) -> impl Iterator<Item = &mut TailEntry> {
        let slot = index.saturating_sub(self.first_index().unwrap_or(index)) as usize;
        let slot = slot.min(self.entries.len());
        self.entries.range_mut(slot..)
    }

    /// The applied entries from the first for which `before` does not hold, and the applied one just before it. `before` must
    /// hold for a prefix.
    pub(crate) fn applied_from(
        &self,
        before: impl Fn(&Assigned) -> bool,
    ) -> (Option<&TailEntry>, impl Iterator<Item = (&Frame, Assigned)>) {
        let slot = self.entries.partition_point(|entry| entry.assigned.as_ref().is_some_and(&before));
        let earlier = slot.checked_sub(1).map(|slot| &self.entries[slot]);
        let rest = self.entries.range(slot..).map_while(|entry| Some((&entry.frame, entry.assigned?)));
        (earlier, rest)
    }
}

/// An applied entry with what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedFrame {
    /// The entry.
    pub frame: Frame,
    /// The number of its first record.
    pub first_record: RecordNumber,
    /// How many records it has.
    pub count: u32,
    /// When they arrived.
    pub arrival: TimestampMs,
}

impl AppliedFrame {
    pub(crate) fn new(frame: Frame, assigned: Assigned) -> Self {
        Self { frame, first_record: assigned.first_record, count: assigned.count, arrival: assigned.arrival }
    }

    /// The number after the entry's last record.
    pub fn end_record(&self) -> u64 {
        self.first_record.0 + u64::from(self.count)
    }
}

/// A state machine's state as it was after one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The entry.
    pub log_id: crate::LogId,
    /// The state, in whatever form its owner gave it.
    pub state: Bytes,
}
