//! What nodes ask each other about shards. Small heads pass through serde; batches and records follow as raw bytes.

use std::time::Duration;

use bincode::config;
use bytes::Bytes;
use data_plane::{AppendError, Appended, Positions, ReadBatch, ReadError, ReadRecord};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shard_state::{Batch, Record, RequestId, ShardIdentity};
use types::{GroupId, NodeId, RecordNumber, ShardId, TimestampMs};

/// Bytes of a head at most: the largest names the 10,000 records of a read, some 20 bytes each.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// A question to the node that leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// Append these batches, whose bytes follow one behind the other.
    Append(Vec<Part>),
    Read {
        group: GroupId,
        from: RecordNumber,
        max_records: u32,
        max_bytes: u64,
    },
    Position {
        group: GroupId,
    },
    SeekArrival {
        group: GroupId,
        at: TimestampMs,
    },
}

/// A batch for a shard, see [`data_plane::DataPlane::append`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Append {
    pub(crate) group: GroupId,
    pub(crate) batch: Batch,
    /// For how long it has been tried, if it may be stored already.
    pub(crate) tried_for: Option<Duration>,
}

/// One shard's batch, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    group: GroupId,
    request: u128,
    tried_for: Option<Duration>,
    records: u32,
    bytes: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Append(Vec<Result<Taken, Denied>>),
    Read(Result<Page, Denied>),
    Position(Result<Place, Denied>),
    SeekArrival(Result<RecordNumber, Denied>),
    /// The question makes no sense to this version.
    Nonsense,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Taken {
    first_record: RecordNumber,
    arrival: TimestampMs,
    accepted: u32,
}

/// The records of a read; their keys and data follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    first: RecordNumber,
    records: Vec<Line>,
    next: RecordNumber,
    millis_behind: u64,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    arrival: TimestampMs,
    key_bytes: u32,
    data_bytes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    trim_horizon: RecordNumber,
    latest: RecordNumber,
    closed: bool,
    shard: ShardId,
    created_sec: u64,
    last_arrival: TimestampMs,
}

/// Why a shard did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Denied {
    Throttled,
    Overloaded,
    DiskFull,
    NotLeader(Option<NodeId>),
    Closed,
    UnknownShard,
    Unknown(String),
    Corrupt(String),
    Unavailable(String),
}

/// The head of a message, with a checksum of the body that goes with it: records are not changed on their way unnoticed.
pub(crate) fn encode(value: &impl Serialize, body: &[Bytes]) -> Bytes {
    let crc = body.iter().fold(0, |crc, piece| crc32c::crc32c_append(crc, piece));
    // Fails only for values that serde can't describe; these are plain, and the tests encode each kind.
    bincode::serde::encode_to_vec((crc, value), config::standard()).expect("plain values encode").into()
}

/// `None` if the bytes are no such value, or the body is not the one that went with it.
pub(crate) fn decode<T: DeserializeOwned>(head: &[u8], body: &[u8]) -> Option<T> {
    let limited = config::standard().with_limit::<HEAD_BYTES_MAX>();
    let ((crc, value), used): ((u32, T), usize) = bincode::serde::decode_from_slice(head, limited).ok()?;
    (used == head.len() && crc == crc32c::crc32c(body)).then_some(value)
}

impl Part {
    pub(crate) fn of(append: &Append) -> Part {
        let Append { group, batch, tried_for } = append;
        // Exact: a batch is bounded far below by `data_plane::Options::batch_bytes_max`.
        let bytes = batch.bytes.len() as u32;
        Part { group: *group, request: batch.id.0, tried_for: *tried_for, records: batch.count, bytes }
    }
}

/// The batches of a question; `None` if the bytes don't have the lengths that it names, or are not the records that it counts: they would get
/// into the log, and be read by nobody.
pub(crate) fn appends(parts: &[Part], mut body: Bytes) -> Option<Vec<Append>> {
    let whole: usize = parts.iter().map(|part| part.bytes as usize).sum();
    if whole != body.len() {
        return None;
    }
    let append = |part: &Part| {
        let bytes = body.split_to(part.bytes as usize);
        let batch = Batch { id: RequestId(part.request), bytes, count: part.records };
        Append { group: part.group, batch, tried_for: part.tried_for }
    };
    let appends: Vec<Append> = parts.iter().map(append).collect();
    appends.iter().all(|append| append.batch.check().is_ok()).then_some(appends)
}

/// A page and the bytes that follow it: keys and data, as they are in memory.
pub(crate) fn page_of(batch: &ReadBatch) -> (Page, Vec<Bytes>) {
    let mut body = Vec::with_capacity(batch.records.len() * 2);
    let mut records = Vec::with_capacity(batch.records.len());
    for record in &batch.records {
        let (key, data) = (record.record.partition_key.clone(), record.record.data.clone());
        // Exact: both are bounded by the service's limits.
        let (key_bytes, data_bytes) = (key.len() as u32, data.len() as u32);
        records.push(Line { arrival: record.arrival, key_bytes, data_bytes });
        body.extend([key, data]);
    }
    let first = batch.records.first().map_or(batch.next, |record| record.number);
    let page = Page { first, records, next: batch.next, millis_behind: batch.millis_behind, ended: batch.ended };
    (page, body)
}

impl Page {
    /// The batch, which shares the bytes; `None` if they don't have the lengths that it names. Explicit hash keys are left out: they
    /// are nothing that a reader is told.
    pub(crate) fn into_batch(self, mut body: Bytes) -> Option<ReadBatch> {
        let mut records = Vec::with_capacity(self.records.len());
        for (number, line) in (self.first.0..).zip(&self.records) {
            let (key_bytes, data_bytes) = (line.key_bytes as usize, line.data_bytes as usize);
            if body.len() < key_bytes.checked_add(data_bytes)? {
                return None;
            }
            let (partition_key, data) = (body.split_to(key_bytes), body.split_to(data_bytes));
            let record = Record { partition_key, explicit_hash_key: None, data };
            records.push(ReadRecord { number: RecordNumber(number), arrival: line.arrival, record });
        }
        body.is_empty().then(|| ReadBatch::received(records, self.next, self.millis_behind, self.ended))
    }
}

impl From<Appended> for Taken {
    fn from(appended: Appended) -> Taken {
        let Appended { first_record, arrival, accepted } = appended;
        Taken { first_record, arrival, accepted }
    }
}

impl From<Taken> for Appended {
    fn from(taken: Taken) -> Appended {
        let Taken { first_record, arrival, accepted } = taken;
        Appended { first_record, arrival, accepted }
    }
}

impl From<Positions> for Place {
    fn from(positions: Positions) -> Place {
        let Positions { trim_horizon, latest, closed, identity, last_arrival } = positions;
        Place { trim_horizon, latest, closed, shard: identity.shard, created_sec: identity.created_sec, last_arrival }
    }
}

impl From<Place> for Positions {
    fn from(place: Place) -> Positions {
        let Place { trim_horizon, latest, closed, shard, created_sec, last_arrival } = place;
        Positions { trim_horizon, latest, closed, identity: ShardIdentity { shard, created_sec }, last_arrival }
    }
}

impl From<AppendError> for Denied {
    fn from(error: AppendError) -> Denied {
        match error {
            AppendError::Throttled => Denied::Throttled,
            AppendError::Overloaded => Denied::Overloaded,
            AppendError::DiskFull => Denied::DiskFull,
            AppendError::NotLeader { leader } => Denied::NotLeader(leader),
            AppendError::Closed => Denied::Closed,
            AppendError::UnknownShard => Denied::UnknownShard,
            AppendError::Unknown(what) => Denied::Unknown(what),
            AppendError::Corrupt(what) => Denied::Corrupt(what),
            AppendError::Unavailable(what) => Denied::Unavailable(what),
            // Mistakes of the node that asks, which has made the batch.
            AppendError::TooLarge { .. } | AppendError::Malformed(_) => Denied::Unavailable(error.to_string()),
        }
    }
}

impl From<Denied> for AppendError {
    fn from(denied: Denied) -> AppendError {
        match denied {
            Denied::Throttled => AppendError::Throttled,
            Denied::Overloaded => AppendError::Overloaded,
            Denied::DiskFull => AppendError::DiskFull,
            Denied::NotLeader(leader) => AppendError::NotLeader { leader },
            Denied::Closed => AppendError::Closed,
            Denied::UnknownShard => AppendError::UnknownShard,
            Denied::Unknown(what) => AppendError::Unknown(what),
            Denied::Corrupt(what) => AppendError::Corrupt(what),
            Denied::Unavailable(what) => AppendError::Unavailable(what),
        }
    }
}

impl From<ReadError> for Denied {
    fn from(error: ReadError) -> Denied {
        match error {
            ReadError::Throttled => Denied::Throttled,
            ReadError::NotLeader { leader } => Denied::NotLeader(leader),
            ReadError::UnknownShard => Denied::UnknownShard,
            ReadError::Corrupt(what) => Denied::Corrupt(what),
            ReadError::Unavailable(what) => Denied::Unavailable(what),
        }
    }
}

impl From<Denied> for ReadError {
    fn from(denied: Denied) -> ReadError {
        match denied {
            Denied::Throttled => ReadError::Throttled,
            Denied::NotLeader(leader) => ReadError::NotLeader { leader },
            Denied::UnknownShard => ReadError::UnknownShard,
            Denied::Corrupt(what) => ReadError::Corrupt(what),
            Denied::Unavailable(what) | Denied::Unknown(what) => ReadError::Unavailable(what),
            // Not said of reads.
            Denied::Overloaded | Denied::DiskFull | Denied::Closed => ReadError::Unavailable(format!("{denied:?}")),
        }
    }
}

#[cfg(test)]
mod tests;
