//! Cuts the records of one read out of entries: pure.

use journal::AppliedFrame;
use shard_state::{Command, FormatError, Record};
use types::planted::{self, Bug};
use types::{RecordNumber, TimestampMs};

use crate::limits::counted_bytes;

/// A record as it was stored, with what it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// Its number in the shard.
    pub number: RecordNumber,
    /// When it arrived.
    pub arrival: TimestampMs,
    /// The record: slices of the memory that holds its entry.
    pub record: Record,
}

/// Why entries are not what they must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SliceError {
    #[error("record {wanted} is missing: the next entry begins at {found}")]
    Hole { wanted: RecordNumber, found: RecordNumber },
    #[error("an entry is malformed: {0}")]
    Format(#[from] FormatError),
}

/// How much is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// The first record.
    pub(crate) from: RecordNumber,
    /// The first record that may not be read.
    pub(crate) end: RecordNumber,
    /// Records; 0 counts as 1.
    pub(crate) max_records: u32,
    /// Bytes of data and partition keys; one record is given in any case.
    pub(crate) max_bytes: u64,
}

/// Collects the records of one read.
pub(crate) struct Slicer {
    extent: Extent,
    records: Vec<ReadRecord>,
    bytes: u64,
    next: RecordNumber,
    is_full: bool,
}

impl Slicer {
    pub(crate) fn new(extent: Extent) -> Slicer {
        Slicer { next: extent.from, extent, records: Vec::new(), bytes: 0, is_full: false }
    }

    /// The next record to read.
    pub(crate) fn next(&self) -> RecordNumber {
        self.next
    }

    /// Whether nothing more is to be read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_full || self.next >= self.extent.end
    }

    /// What is collected so far.
    pub(crate) fn records(&self) -> &[ReadRecord] {
        &self.records
    }

    /// Bytes of data and partition keys collected.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many more records, at least 1, and bytes fit.
    pub(crate) fn room(&self) -> (u32, u64) {
        let records = self.extent.max_records.saturating_sub(self.records.len() as u32);
        (records.max(1), self.extent.max_bytes.saturating_sub(self.bytes))
    }

    pub(crate) fn into_records(self) -> Vec<ReadRecord> {
        self.records
    }

    /// Passes over records that have been trimmed meanwhile.
    pub(crate) fn pass_trimmed(&mut self, trimmed: RecordNumber) {
        self.next = self.next.max(trimmed);
    }

    /// Takes what is wanted of an entry; nothing once the read is done.
    pub(crate) fn take(&mut self, entry: &AppliedFrame) -> Result<(), SliceError> {
        if self.is_done() || entry.end_record() <= self.next.0 {
            return Ok(());
        }
        if entry.first_record > self.next {
            // The planted bug is to be found by what clients see.
            if !planted::active(Bug::SegmentEdgeOffByOne) {
                return Err(SliceError::Hole { wanted: self.next, found: entry.first_record });
            }
            self.next = entry.first_record;
        }
        let mut records = Command::decode(&entry.frame.payload)?.records();
        // Below the entry's count, which is a u32.
        records.skip_records((self.next.0 - entry.first_record.0) as u32)?;
        for record in records {
            let record = record?;
            self.push(record, entry.arrival);
            if self.is_done() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn push(&mut self, record: Record, arrival: TimestampMs) {
        let bytes = self.bytes + counted_bytes(&record);
        if !self.records.is_empty() && bytes > self.extent.max_bytes {
            self.is_full = true;
            return;
        }
        self.records.push(ReadRecord { number: self.next, arrival, record });
        self.bytes = bytes;
        self.next.0 += 1;
        self.is_full = self.records.len() as u64 >= u64::from(self.extent.max_records.max(1));
    }
}

#[cfg(test)]
mod tests;
