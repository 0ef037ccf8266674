//! ListShards

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::shape::{Shard, ShardFilterType};
use crate::validate::{Path, TextShape, ValidationErrors, shapes};
use crate::{Operation, Required, StreamRef};

/// Lists the shards of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ListShards<'a> {
    /// The stream, by name.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_name: Option<Cow<'a, str>>,
    /// The stream, by ARN.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
    /// Where the page before ended; it stands for the stream and the filter.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub next_token: Option<Cow<'a, str>>,
    /// The shard after which to begin.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub exclusive_start_shard_id: Option<Cow<'a, str>>,
    /// Most shards to return, 1 to 10,000; 1,000 if absent.
    #[serde(deserialize_with = "member::optional")]
    pub max_results: Option<i32>,
    /// When the stream was created, in milliseconds since the Unix epoch, to tell streams of one name apart.
    #[serde(rename = "StreamCreationTimestamp", deserialize_with = "member::optional_timestamp_ms")]
    pub stream_creation_timestamp_ms: Option<i64>,
    /// Which shards to return; all if absent.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub shard_filter: Option<ShardFilter<'a>>,
}

impl<'a> Structure<'a> for ListShards<'a> {}

impl ListShards<'_> {
    /// How the request names its stream.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: self.stream_name.as_deref(), arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }

    fn validate_filter(&self, errors: &mut ValidationErrors) {
        let Some(filter) = &self.shard_filter else { return };
        let types = TextShape::one_of(ShardFilterType::NAMES);
        errors.required_text(Path::Nested("shardFilter", "type"), &types, &filter.filter_type);
        errors.text(Path::Nested("shardFilter", "shardId"), &shapes::SHARD_ID, filter.shard_id.as_deref());
    }
}

impl<'a> Input<'a> for ListShards<'a> {
    const OPERATION: Operation = Operation::ListShards;

    fn validate(&self, errors: &mut ValidationErrors) {
        self.stream().validate(errors);
        errors.text(Path::Field("nextToken"), &shapes::NEXT_TOKEN, self.next_token.as_deref());
        let start = self.exclusive_start_shard_id.as_deref();
        errors.text(Path::Field("exclusiveStartShardId"), &shapes::SHARD_ID, start);
        errors.integer(Path::Field("maxResults"), &shapes::LIMIT, self.max_results);
        self.validate_filter(errors);
    }
}

/// Which shards ListShards returns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ShardFilter<'a> {
    /// A name of [`ShardFilterType`].
    #[serde(borrow, rename = "Type", deserialize_with = "member::required")]
    pub filter_type: Required<Cow<'a, str>>,
    /// For AFTER_SHARD_ID.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub shard_id: Option<Cow<'a, str>>,
    /// For AT_TIMESTAMP and FROM_TIMESTAMP, in milliseconds since the Unix epoch.
    #[serde(rename = "Timestamp", deserialize_with = "member::optional_timestamp_ms")]
    pub timestamp_ms: Option<i64>,
}

impl<'a> Structure<'a> for ShardFilter<'a> {}

impl ShardFilter<'_> {
    /// The type; `None` only before validation.
    #[must_use]
    pub fn filter_type(&self) -> Option<ShardFilterType> {
        ShardFilterType::from_name(&self.filter_type)
    }
}

/// The reply of ListShards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListShardsReply<'a> {
    /// One page of shards, by id.
    pub shards: Vec<Shard<'a>>,
    /// Where this page ends, if a next one follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<Cow<'a, str>>,
}
