//! `SequenceNumberRange`

use std::borrow::Cow;

use serde::Serialize;

/// The sequence numbers of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SequenceNumberRange<'a> {
    /// The first, in decimal.
    pub starting_sequence_number: Cow<'a, str>,
    /// The last, in decimal, of a closed shard; an open one has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending_sequence_number: Option<Cow<'a, str>>,
}
