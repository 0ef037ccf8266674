//! The reply of GetRecords.

use crate::shape::ChildShard;
use crate::{Protocol, json};

/// One record of a reply.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'r> {
    /// In decimal.
    pub sequence_number: &'r str,
    /// Milliseconds since the Unix epoch.
    pub arrival_ms: u64,
    /// As it was put.
    pub partition_key: &'r str,
    /// As it was put.
    pub data: &'r [u8],
}

/// What follows the records in a reply.
#[derive(Debug, Clone, Copy)]
pub struct GetRecordsEnd<'r> {
    /// Where to go on; `None` exactly at the end of a closed shard, where there are child shards.
    pub next_shard_iterator: Option<&'r str>,
    /// How far the last record read is behind now, in milliseconds; 0 at the tip.
    pub millis_behind_latest: u64,
    /// The shards to go on with at the end of a closed shard; only sent if there are any.
    pub child_shards: &'r [ChildShard<'r>],
}

/// Writes a reply of GetRecords into one buffer, without an allocation per record. Records that aren't encrypted come
/// without `EncryptionType` (recorded).
#[derive(Debug)]
pub struct GetRecordsWriter<'o> {
    out: &'o mut Vec<u8>,
    protocol: Protocol,
    is_empty: bool,
}

/// Bytes of JSON around one record, with its two numbers.
const RECORD_OVERHEAD_BYTES: usize = 192;

impl<'o> GetRecordsWriter<'o> {
    /// Begins a reply at the end of `out`.
    #[must_use]
    pub fn new(protocol: Protocol, out: &'o mut Vec<u8>) -> Self {
        match protocol {
            Protocol::Json => out.extend_from_slice(b"{\"Records\":["),
        }
        Self { out, protocol, is_empty: true }
    }

    /// How many bytes a record of this size takes at most, if its partition key needs no escapes: to reserve the buffer
    /// for a whole reply at once.
    #[must_use]
    pub const fn record_bytes(partition_key_bytes: usize, data_bytes: usize) -> usize {
        RECORD_OVERHEAD_BYTES + partition_key_bytes + data_bytes.div_ceil(3) * 4
    }

    /// Appends a record.
    pub fn record(&mut self, record: &RecordView<'_>) {
        match self.protocol {
            Protocol::Json => self.record_json(record),
        }
        self.is_empty = false;
    }

    fn record_json(&mut self, record: &RecordView<'_>) {
        let out = &mut *self.out;
        out.reserve(Self::record_bytes(record.partition_key.len(), record.data.len()));
        if !self.is_empty {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"SequenceNumber\":");
        json::write_string(out, record.sequence_number);
        out.extend_from_slice(b",\"ApproximateArrivalTimestamp\":");
        json::write_seconds(out, record.arrival_ms);
        out.extend_from_slice(b",\"Data\":");
        json::write_base64(out, record.data);
        out.extend_from_slice(b",\"PartitionKey\":");
        json::write_string(out, record.partition_key);
        out.push(b'}');
    }

    /// Ends the reply.
    pub fn finish(self, end: &GetRecordsEnd<'_>) {
        match self.protocol {
            Protocol::Json => finish_json(self.out, end),
        }
    }
}

fn finish_json(out: &mut Vec<u8>, end: &GetRecordsEnd<'_>) {
    out.push(b']');
    if let Some(iterator) = end.next_shard_iterator {
        out.extend_from_slice(b",\"NextShardIterator\":");
        json::write_string(out, iterator);
    }
    out.extend_from_slice(b",\"MillisBehindLatest\":");
    json::write_integer(out, end.millis_behind_latest);
    if !end.child_shards.is_empty() {
        out.extend_from_slice(b",\"ChildShards\":");
        let written = serde_json::to_writer(&mut *out, end.child_shards);
        // A vector takes every byte and child shards have no maps.
        debug_assert!(written.is_ok(), "{written:?}");
    }
    out.push(b'}');
}
