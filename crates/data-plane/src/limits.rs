//! The throughput that one shard gives: pure, driven by the time that is passed in.

mod bucket;
mod read;
mod write;

use std::num::NonZeroU64;

pub(crate) use read::ReadLimiter;
use types::limits::{
    SHARD_READ_BYTES_PER_SEC, SHARD_READ_CALLS_PER_SEC, SHARD_WRITE_BYTES_PER_SEC, SHARD_WRITE_RECORDS_PER_SEC,
};
pub(crate) use write::{Cut, WriteLimiter, counted_bytes};

/// What one shard takes and gives per second; `None` is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardLimits {
    /// Bytes of data and partition keys written.
    pub write_bytes_per_sec: Option<NonZeroU64>,
    /// Records written.
    pub write_records_per_sec: Option<NonZeroU64>,
    /// Bytes of data and partition keys read, all readers together.
    pub read_bytes_per_sec: Option<NonZeroU64>,
    /// Reads, all readers together.
    pub read_calls_per_sec: Option<NonZeroU64>,
}

impl ShardLimits {
    /// Those of Kinesis, as [`types::limits`] has them with their sources.
    #[must_use]
    pub const fn aws() -> ShardLimits {
        ShardLimits {
            write_bytes_per_sec: NonZeroU64::new(SHARD_WRITE_BYTES_PER_SEC),
            write_records_per_sec: NonZeroU64::new(SHARD_WRITE_RECORDS_PER_SEC),
            read_bytes_per_sec: NonZeroU64::new(SHARD_READ_BYTES_PER_SEC),
            read_calls_per_sec: NonZeroU64::new(SHARD_READ_CALLS_PER_SEC),
        }
    }

    /// None.
    #[must_use]
    pub const fn off() -> ShardLimits {
        ShardLimits {
            write_bytes_per_sec: None,
            write_records_per_sec: None,
            read_bytes_per_sec: None,
            read_calls_per_sec: None,
        }
    }
}
