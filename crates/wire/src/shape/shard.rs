//! `Shard`

use std::borrow::Cow;

use serde::Serialize;

use super::{HashKeyRange, SequenceNumberRange};

/// A shard, as DescribeStream and ListShards show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shard<'a> {
    /// `shardId-` and twelve digits.
    pub shard_id: Cow<'a, str>,
    /// The shard that was split, or the one of the two merged ones that was named first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_shard_id: Option<Cow<'a, str>>,
    /// The other one of two merged shards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjacent_parent_shard_id: Option<Cow<'a, str>>,
    /// Its part of the key space.
    pub hash_key_range: HashKeyRange,
    /// Its part of the stream's history.
    pub sequence_number_range: SequenceNumberRange<'a>,
}
