//! `ChildShard`

use std::borrow::Cow;

use serde::Serialize;

use super::HashKeyRange;

/// A shard that follows a closed one, as the last GetRecords of the closed one shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChildShard<'a> {
    /// `shardId-` and twelve digits.
    pub shard_id: Cow<'a, str>,
    /// The one it was split from, or the two it was merged from.
    pub parent_shards: Vec<Cow<'a, str>>,
    /// Its part of the key space.
    pub hash_key_range: HashKeyRange,
}
