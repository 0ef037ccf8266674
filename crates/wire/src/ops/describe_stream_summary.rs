//! DescribeStreamSummary

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::shape::{EncryptionType, EnhancedMetrics, StreamModeDetails, StreamStatus};
use crate::validate::ValidationErrors;
use crate::{Operation, StreamRef, Timestamp};

/// Describes a stream without its shards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeStreamSummary<'a> {
    /// The stream, by name.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_name: Option<Cow<'a, str>>,
    /// The stream, by ARN.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
}

impl<'a> Structure<'a> for DescribeStreamSummary<'a> {}

impl DescribeStreamSummary<'_> {
    /// How the request names its stream.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: self.stream_name.as_deref(), arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }
}

impl<'a> Input<'a> for DescribeStreamSummary<'a> {
    const OPERATION: Operation = Operation::DescribeStreamSummary;

    fn validate(&self, errors: &mut ValidationErrors) {
        self.stream().validate(errors);
    }
}

/// The reply of DescribeStreamSummary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeStreamSummaryReply<'a> {
    /// The stream.
    pub stream_description_summary: StreamDescriptionSummary<'a>,
}

/// A stream. `KeyId` belongs to encryption and is never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamDescriptionSummary<'a> {
    /// The name.
    pub stream_name: Cow<'a, str>,
    /// The ARN.
    #[serde(rename = "StreamARN")]
    pub stream_arn: Cow<'a, str>,
    /// The id, where streams have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<Cow<'a, str>>,
    /// What it does at the moment.
    pub stream_status: StreamStatus,
    /// Who decides on its shards.
    pub stream_mode_details: StreamModeDetails,
    /// How long records stay readable, in hours.
    pub retention_period_hours: u32,
    /// When it was created.
    pub stream_creation_timestamp: Timestamp,
    /// Always one element.
    pub enhanced_monitoring: [EnhancedMetrics<'a>; 1],
    /// `NONE` without encryption.
    pub encryption_type: EncryptionType,
    /// Shards that take puts.
    pub open_shard_count: u32,
    /// Enhanced fan-out consumers.
    pub consumer_count: u32,
    /// Throughput that an on-demand stream is ready for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_throughput: Option<WarmThroughput>,
    /// The largest record in KiB.
    #[serde(rename = "MaxRecordSizeInKiB")]
    pub max_record_size_in_kib: u32,
}

/// `WarmThroughputObject`, in MiB/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WarmThroughput {
    /// What was asked for.
    #[serde(rename = "TargetMiBps")]
    pub target_mibps: u32,
    /// What is ready.
    #[serde(rename = "CurrentMiBps")]
    pub current_mibps: u32,
}
