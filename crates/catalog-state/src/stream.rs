use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use types::{HashKey, ShardId, StreamArn, StreamName, TimestampMs};

use crate::Shard;

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Unique in the cluster and never reused, other than the name.
    pub id: u64,
    /// Region, account and name.
    pub arn: StreamArn,
    /// When CreateStream was accepted.
    pub created: TimestampMs,
    /// When DeleteStream was accepted.
    pub deleted: Option<TimestampMs>,
    /// What may be done with it.
    pub status: StreamStatus,
    /// How it grows.
    pub mode: StreamMode,
    /// Hours for which a record stays readable.
    pub retention_hours: u32,
    /// KiB of a record at most, data and partition key.
    pub max_record_kib: u32,
    /// Replicas that each of its shards should have, 1 to [`Stream::REPLICATION_MAX`].
    pub replication: u8,
    /// Open shards, and closed ones whose records may still be readable.
    pub shards: BTreeMap<ShardId, Shard>,
    /// The index of the next shard; indices are never reused.
    pub next_shard: u32,
}

impl Stream {
    /// Replicas of a shard at most: seven survive the loss of three nodes, and each more only makes every put slower.
    pub const REPLICATION_MAX: u8 = 7;

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &StreamName {
        self.arn.name()
    }

    /// The shards that take records, by index.
    pub fn open_shards(&self) -> impl Iterator<Item = &Shard> {
        self.shards.values().filter(|shard| shard.is_open())
    }

    /// The open shard to which a hash key falls. Looks at each shard: who routes many records keeps a sorted table.
    #[must_use]
    pub fn open_shard_of(&self, key: HashKey) -> Option<&Shard> {
        self.open_shards().find(|shard| shard.range.contains(key))
    }

    /// The shards that were made of one.
    pub fn children_of(&self, parent: ShardId) -> impl Iterator<Item = &Shard> {
        self.shards.values().filter(move |shard| shard.parent == Some(parent) || shard.adjacent_parent == Some(parent))
    }
}

/// The states of a stream, as Kinesis names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StreamStatus {
    /// Its groups are being formed.
    Creating,
    /// It takes and gives records.
    Active,
    /// It does, and its shards are changing.
    Updating,
    /// Its groups are being removed.
    Deleting,
}

impl StreamStatus {
    /// Whether there are records that somebody may have been told are stored, and that are to stay.
    #[must_use]
    pub fn keeps_records(self) -> bool {
        matches!(self, StreamStatus::Active | StreamStatus::Updating)
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StreamStatus::Creating => "CREATING",
            StreamStatus::Active => "ACTIVE",
            StreamStatus::Updating => "UPDATING",
            StreamStatus::Deleting => "DELETING",
        }
    }
}

impl fmt::Display for StreamStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a stream grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StreamMode {
    /// As its owner says.
    Provisioned,
    /// With its load.
    OnDemand,
}

impl StreamMode {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StreamMode::Provisioned => "PROVISIONED",
            StreamMode::OnDemand => "ON_DEMAND",
        }
    }
}

impl fmt::Display for StreamMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
