//! GetShardIterator

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::shape::ShardIteratorType;
use crate::validate::{Path, TextShape, ValidationErrors, shapes};
use crate::{Operation, Required, StreamRef};

/// Asks for a place to read a shard from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GetShardIterator<'a> {
    /// The stream, by name.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_name: Option<Cow<'a, str>>,
    /// The stream, by ARN.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
    /// The shard.
    #[serde(borrow, deserialize_with = "member::required")]
    pub shard_id: Required<Cow<'a, str>>,
    /// A name of [`ShardIteratorType`].
    #[serde(borrow, deserialize_with = "member::required")]
    pub shard_iterator_type: Required<Cow<'a, str>>,
    /// For AT_SEQUENCE_NUMBER and AFTER_SEQUENCE_NUMBER.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub starting_sequence_number: Option<Cow<'a, str>>,
    /// For AT_TIMESTAMP, in milliseconds since the Unix epoch.
    #[serde(rename = "Timestamp", deserialize_with = "member::optional_timestamp_ms")]
    pub timestamp_ms: Option<i64>,
}

impl<'a> Structure<'a> for GetShardIterator<'a> {}

impl GetShardIterator<'_> {
    /// How the request names its stream.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: self.stream_name.as_deref(), arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }

    /// The type; `None` only before validation.
    #[must_use]
    pub fn iterator_type(&self) -> Option<ShardIteratorType> {
        ShardIteratorType::from_name(&self.shard_iterator_type)
    }
}

impl<'a> Input<'a> for GetShardIterator<'a> {
    const OPERATION: Operation = Operation::GetShardIterator;

    fn validate(&self, errors: &mut ValidationErrors) {
        self.stream().validate(errors);
        errors.required_text(Path::Field("shardId"), &shapes::SHARD_ID, &self.shard_id);
        let types = TextShape::one_of(ShardIteratorType::NAMES);
        errors.required_text(Path::Field("shardIteratorType"), &types, &self.shard_iterator_type);
        let start = self.starting_sequence_number.as_deref();
        errors.text(Path::Field("startingSequenceNumber"), &shapes::SEQUENCE_NUMBER, start);
    }
}

/// The reply of GetShardIterator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetShardIteratorReply<'a> {
    /// The iterator, at most 512 characters.
    pub shard_iterator: Cow<'a, str>,
}
