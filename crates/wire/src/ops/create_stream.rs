//! CreateStream

use std::borrow::Cow;

use serde::Deserialize;

use crate::decode::Input;
use crate::member::{self, MAP_LENGTH_MAX, Structure, TextMap};
use crate::shape::StreamMode;
use crate::validate::{Offender, Path, TextShape, ValidationErrors, shapes};
use crate::{Operation, Required};

/// Creates a stream. The reply is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateStream<'a> {
    /// The name of the new stream.
    #[serde(borrow, deserialize_with = "member::required")]
    pub stream_name: Required<Cow<'a, str>>,
    /// The number of shards of a provisioned stream.
    #[serde(deserialize_with = "member::optional")]
    pub shard_count: Option<i32>,
    /// The capacity mode. Absent it depends on the shard count: see [`Self::stream_mode`].
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_mode_details: Option<RequestedStreamMode<'a>>,
    /// Tags of the new stream.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub tags: Option<TextMap<'a>>,
    /// Throughput in MiB/s that an on-demand stream is to be ready for.
    #[serde(rename = "WarmThroughputMiBps", deserialize_with = "member::optional")]
    pub warm_throughput_mibps: Option<i32>,
    /// The largest record in KiB.
    #[serde(rename = "MaxRecordSizeInKiB", deserialize_with = "member::optional")]
    pub max_record_size_in_kib: Option<i32>,
}

/// `StreamModeDetails` of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RequestedStreamMode<'a> {
    /// A name of [`StreamMode`].
    #[serde(borrow, deserialize_with = "member::required")]
    pub stream_mode: Required<Cow<'a, str>>,
}

impl<'a> Structure<'a> for RequestedStreamMode<'a> {}
impl<'a> Structure<'a> for CreateStream<'a> {}

impl CreateStream<'_> {
    /// The capacity mode of the new stream: the one asked for, else provisioned with and on-demand without a shard count.
    #[must_use]
    pub fn stream_mode(&self) -> StreamMode {
        let asked = self.stream_mode_details.as_ref().and_then(|details| StreamMode::from_name(&details.stream_mode));
        let implied = if self.shard_count.is_some() { StreamMode::Provisioned } else { StreamMode::OnDemand };
        asked.unwrap_or(implied)
    }

    fn validate_tags(&self, errors: &mut ValidationErrors) {
        let Some(tags) = &self.tags else { return };
        let path = Path::Field("tags");
        if tags.is_empty() {
            errors.length_at_least(Offender::Text("{}"), path, 1);
        }
        if tags.len() > MAP_LENGTH_MAX {
            errors.length_at_most(Offender::Hidden, path, MAP_LENGTH_MAX);
        }
        check_texts(errors, "Map keys", &shapes::TAG_KEY, tags.keys());
        check_texts(errors, "Map value", &shapes::TAG_VALUE, tags.values());
    }
}

/// AWS reports keys and values of a map as wholes.
fn check_texts<'t>(
    errors: &mut ValidationErrors,
    kind: &str,
    shape: &TextShape,
    mut texts: impl Iterator<Item = &'t Cow<'t, str>>,
) {
    if texts.any(|text| shape.is_too_short(text) || shape.is_too_long(text)) {
        let constraint = format_args!("{kind} must satisfy constraint: {}", bounds(shape));
        errors.report(Offender::Hidden, Path::Field("tags"), constraint);
    }
}

fn bounds(shape: &TextShape) -> String {
    format!(
        "[Member must have length less than or equal to {}, Member must have length greater than or equal to {}]",
        shape.length_max.unwrap_or(usize::MAX),
        shape.length_min.unwrap_or(0)
    )
}

impl<'a> Input<'a> for CreateStream<'a> {
    const OPERATION: Operation = Operation::CreateStream;

    fn validate(&self, errors: &mut ValidationErrors) {
        errors.required_text(Path::Field("streamName"), &shapes::STREAM_NAME, &self.stream_name);
        errors.integer(Path::Field("shardCount"), &shapes::POSITIVE_INTEGER, self.shard_count);
        if let Some(details) = &self.stream_mode_details {
            let path = Path::Nested("streamModeDetails", "streamMode");
            errors.required_text(path, &TextShape::one_of(StreamMode::NAMES), &details.stream_mode);
        }
        self.validate_tags(errors);
        errors.integer(Path::Field("warmThroughputMiBps"), &shapes::NATURAL_INTEGER, self.warm_throughput_mibps);
        errors.integer(Path::Field("maxRecordSizeInKiB"), &shapes::MAX_RECORD_SIZE_IN_KIB, self.max_record_size_in_kib);
    }
}
