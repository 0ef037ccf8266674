//! `HashKeyRange`

use serde::{Serialize, Serializer};

/// The hash keys of a shard, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HashKeyRange {
    /// The smallest.
    #[serde(serialize_with = "decimal")]
    pub starting_hash_key: u128,
    /// The largest.
    #[serde(serialize_with = "decimal")]
    pub ending_hash_key: u128,
}

/// Hash keys are decimal strings on the wire.
fn decimal<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
