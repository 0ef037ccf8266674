//! ListStreams

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::shape::{StreamModeDetails, StreamStatus};
use crate::validate::{Path, ValidationErrors, shapes};
use crate::{Operation, Timestamp};

/// Lists the streams of the account, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ListStreams<'a> {
    /// Most streams to return, 1 to 10,000; 100 if absent.
    #[serde(deserialize_with = "member::optional")]
    pub limit: Option<i32>,
    /// The stream after which to begin.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub exclusive_start_stream_name: Option<Cow<'a, str>>,
    /// Where the page before ended.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub next_token: Option<Cow<'a, str>>,
}

impl<'a> Structure<'a> for ListStreams<'a> {}

impl<'a> Input<'a> for ListStreams<'a> {
    const OPERATION: Operation = Operation::ListStreams;

    fn validate(&self, errors: &mut ValidationErrors) {
        errors.integer(Path::Field("limit"), &shapes::LIMIT, self.limit);
        let start = self.exclusive_start_stream_name.as_deref();
        errors.text(Path::Field("exclusiveStartStreamName"), &shapes::STREAM_NAME, start);
        errors.text(Path::Field("nextToken"), &shapes::NEXT_TOKEN, self.next_token.as_deref());
    }
}

/// The reply of ListStreams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListStreamsReply<'a> {
    /// One page of names, in order.
    pub stream_names: Vec<Cow<'a, str>>,
    /// Whether a next page follows.
    pub has_more_streams: bool,
    /// Where this page ends, if a next one follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<Cow<'a, str>>,
    /// The same streams with more about each.
    pub stream_summaries: Vec<StreamSummary<'a>>,
}

/// A stream in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamSummary<'a> {
    /// The name.
    pub stream_name: Cow<'a, str>,
    /// The ARN.
    #[serde(rename = "StreamARN")]
    pub stream_arn: Cow<'a, str>,
    /// What it does at the moment.
    pub stream_status: StreamStatus,
    /// Who decides on its shards.
    pub stream_mode_details: StreamModeDetails,
    /// When it was created.
    pub stream_creation_timestamp: Timestamp,
}
