use bytes::{Buf, BufMut};
use types::{RecordNumber, TimestampMs};

use crate::FormatError;

/// Where a shard's retained records begin: the state as it was at a position of the log.
///
/// A snapshot is taken here, never at the applied index: its receiver then gets the retained entries by ordinary
/// replication and has no hole in its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrimPoint {
    /// Log index of the last entry wholly before the retained records; 0 when nothing is trimmed.
    pub index: u64,
    /// Raft term of that entry; 0 when nothing is trimmed.
    pub term: u64,
    /// The next record number after that entry: the first record that may still be read.
    pub next_record: RecordNumber,
    /// The last arrival time at that entry.
    pub last_arrival: TimestampMs,
}

impl TrimPoint {
    /// Nothing is trimmed.
    pub const NONE: TrimPoint =
        TrimPoint { index: 0, term: 0, next_record: RecordNumber::FIRST, last_arrival: TimestampMs(0) };

    /// What [`TrimPoint::put`] writes: index, term, next record, last arrival, eight bytes each.
    pub(crate) const BYTES: usize = 32;

    pub(crate) fn put(&self, out: &mut impl BufMut) {
        out.put_u64_le(self.index);
        out.put_u64_le(self.term);
        out.put_u64_le(self.next_record.0);
        out.put_u64_le(self.last_arrival.0);
    }

    pub(crate) fn get(bytes: &mut impl Buf) -> Result<TrimPoint, FormatError> {
        Ok(TrimPoint {
            index: bytes.try_get_u64_le()?,
            term: bytes.try_get_u64_le()?,
            next_record: RecordNumber(bytes.try_get_u64_le()?),
            last_arrival: TimestampMs(bytes.try_get_u64_le()?),
        })
    }

    /// Whether no field of this lies before the other's.
    pub(crate) fn is_at_or_after(&self, other: &TrimPoint) -> bool {
        self.index >= other.index
            && self.term >= other.term
            && self.next_record >= other.next_record
            && self.last_arrival >= other.last_arrival
    }
}
