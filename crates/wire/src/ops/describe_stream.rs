//! DescribeStream

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::shape::{EncryptionType, EnhancedMetrics, Shard, StreamModeDetails, StreamStatus};
use crate::validate::{Path, ValidationErrors, shapes};
use crate::{Operation, StreamRef, Timestamp};

/// Describes a stream with its shards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeStream<'a> {
    /// The stream, by name.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_name: Option<Cow<'a, str>>,
    /// The stream, by ARN.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
    /// Most shards to return, 1 to 10,000; 100 if absent.
    #[serde(deserialize_with = "member::optional")]
    pub limit: Option<i32>,
    /// The shard after which to begin.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub exclusive_start_shard_id: Option<Cow<'a, str>>,
}

impl<'a> Structure<'a> for DescribeStream<'a> {}

impl DescribeStream<'_> {
    /// How the request names its stream.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: self.stream_name.as_deref(), arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }
}

impl<'a> Input<'a> for DescribeStream<'a> {
    const OPERATION: Operation = Operation::DescribeStream;

    fn validate(&self, errors: &mut ValidationErrors) {
        self.stream().validate(errors);
        errors.integer(Path::Field("limit"), &shapes::LIMIT, self.limit);
        let start = self.exclusive_start_shard_id.as_deref();
        errors.text(Path::Field("exclusiveStartShardId"), &shapes::SHARD_ID, start);
    }
}

/// The reply of DescribeStream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStreamReply<'a> {
    /// The stream.
    pub stream_description: StreamDescription<'a>,
}

/// A stream with one page of its shards. `KeyId` belongs to encryption and is never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamDescription<'a> {
    /// The name.
    pub stream_name: Cow<'a, str>,
    /// The ARN.
    #[serde(rename = "StreamARN")]
    pub stream_arn: Cow<'a, str>,
    /// What it does at the moment.
    pub stream_status: StreamStatus,
    /// Who decides on its shards.
    pub stream_mode_details: StreamModeDetails,
    /// One page of its shards, open and closed; none while it is being created.
    pub shards: Vec<Shard<'a>>,
    /// Whether a next page follows.
    pub has_more_shards: bool,
    /// How long records stay readable, in hours.
    pub retention_period_hours: u32,
    /// When it was created.
    pub stream_creation_timestamp: Timestamp,
    /// Always one element.
    pub enhanced_monitoring: [EnhancedMetrics<'a>; 1],
    /// `NONE` without encryption.
    pub encryption_type: EncryptionType,
}
