use std::time::Duration;

use shard_state::RECORD_OVERHEAD_BYTES;
use types::limits::{MIB, PUT_RECORDS_BYTES_MAX, PUT_RECORDS_COUNT_MAX};

/// Bytes of an explicit hash key in a stored record.
pub(crate) const HASH_KEY_BYTES: usize = 16;

/// The largest batch that a put can make: all records of the largest PutRecords, each with an explicit hash key.
const BATCH_BYTES: u64 =
    PUT_RECORDS_BYTES_MAX + (PUT_RECORDS_COUNT_MAX * (RECORD_OVERHEAD_BYTES + HASH_KEY_BYTES)) as u64;
/// With room for what is added to the format.
const BATCH_BYTES_MAX: u64 = 12 * MIB;

const _: () = assert!(BATCH_BYTES < BATCH_BYTES_MAX, "else the largest put of one shard is refused");

/// Bounds of the data plane.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of puts that are gathered into one Raft entry at most, a single larger batch excepted. Default 1 MiB: beyond it, one
    /// sync is small beside the writing. Like `batch_bytes_max`, it must be smaller than the journal's largest payload.
    pub entry_bytes_max: u64,
    /// Batches gathered into one entry at most. Default 512.
    pub entry_batches_max: usize,
    /// The largest batch. Must be smaller than the journal's largest payload. Default 12 MiB: the largest PutRecords and its
    /// overhead.
    pub batch_bytes_max: u64,
    /// Bytes of puts that wait or are in flight for one shard; past it [`crate::AppendError::Overloaded`] at once. Default 16 MiB:
    /// the largest batch and some more.
    pub shard_queue_bytes_max: u32,
    /// The same for all shards of the node together. Default 128 MiB.
    pub node_queue_bytes_max: u32,
    /// Bytes that reads of the node hold at once; further reads wait, and those under way give less than was asked for. One entry
    /// for each reader may come on top. Default 64 MiB.
    pub read_bytes_max: u32,
    /// A put that has no answer by then is answered with [`crate::AppendError::Unknown`]. Default 10 s: one sync takes
    /// milliseconds, so that only a stuck disk gets there.
    pub append_deadline: Duration,
    /// How long a shard's group may take to elect its leader when it is opened. Default 10 s.
    pub open_deadline: Duration,
    /// A replica that is not the first of its new group forms it all the same when nothing has been heard for so long. Default 1.5 s.
    pub form_delay: Duration,
    /// How often records past their retention are looked for. Default 10 s.
    pub retention_interval: Duration,
    /// Nothing is trimmed for so long after the start, so that a wall clock which is wrong at start can be put right: records
    /// from before the start are aged by it. Default 60 s.
    pub retention_settle: Duration,
    /// Shards trimmed at once. Default 16: they share syncs.
    pub trims_at_once: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            entry_bytes_max: MIB,
            entry_batches_max: 512,
            batch_bytes_max: BATCH_BYTES_MAX,
            shard_queue_bytes_max: 16 << 20,
            node_queue_bytes_max: 128 << 20,
            read_bytes_max: 64 << 20,
            append_deadline: Duration::from_secs(10),
            open_deadline: Duration::from_secs(10),
            form_delay: Duration::from_millis(1_500),
            retention_interval: Duration::from_secs(10),
            retention_settle: Duration::from_secs(60),
            trims_at_once: 16,
        }
    }
}
