use types::{RecordNumber, TimestampMs};

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The number of the batch's first record; the others follow it without a gap.
    pub first_record: RecordNumber,
    /// When the records arrived, by the leader's clock, which never runs backwards within a shard.
    pub arrival: TimestampMs,
    /// How many records, from the batch's beginning, were taken. The rest is over the shard's write limit and was not.
    pub accepted: u32,
}
