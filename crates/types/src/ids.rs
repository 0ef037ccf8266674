use std::fmt;

use serde::{Deserialize, Serialize};

/// A server process, numbered once for its life; a node that returns with an empty disk gets a new number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct NodeId(pub u64);

/// A Raft group: the replicas of one shard, or of the catalog. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub u64);

impl GroupId {
    /// The group of the catalog; shards have groups from 1 up.
    pub const CATALOG: GroupId = GroupId(0);
}

/// The number of a record within its shard, from [`RecordNumber::FIRST`] to [`RecordNumber::LAST`], without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordNumber(pub u64);

impl RecordNumber {
    /// The first record. Not 0: a shard's starting sequence number has 0 and lies below each of its records, so that
    /// a reader that begins *after* the starting number misses none.
    pub const FIRST: RecordNumber = RecordNumber(1);

    /// The last record number there can be. The one above it, [`RecordNumber::CLOSING`], ends a closed shard.
    pub const LAST: RecordNumber = RecordNumber(RecordNumber::CLOSING.0 - 1);

    /// Stands in a closed shard's ending sequence number; no record has it.
    pub const CLOSING: RecordNumber = RecordNumber(0x7fff_ffff_ffff_ffff);
}

/// Milliseconds since the beginning of 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct TimestampMs(pub u64);

impl TimestampMs {
    /// Whole seconds, rounded down: what sequence numbers carry.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000
    }
}

macro_rules! display_as_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

display_as_number!(NodeId, GroupId, RecordNumber, TimestampMs);
