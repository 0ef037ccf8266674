//! GetRecords

use std::borrow::Cow;

use serde::Deserialize;

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::validate::{Path, ValidationErrors, shapes};
use crate::{Operation, Required, StreamRef};

/// Reads records of a shard. The reply is written by [`crate::GetRecordsWriter`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GetRecords<'a> {
    /// The iterator.
    #[serde(borrow, deserialize_with = "member::required")]
    pub shard_iterator: Required<Cow<'a, str>>,
    /// Most records to return, 1 to 10,000; 10,000 if absent.
    #[serde(deserialize_with = "member::optional")]
    pub limit: Option<i32>,
    /// The stream, by ARN; the iterator alone would do.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id; the iterator alone would do.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
}

impl<'a> Structure<'a> for GetRecords<'a> {}

impl GetRecords<'_> {
    /// How the request names its stream, which it need not.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: None, arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }
}

impl<'a> Input<'a> for GetRecords<'a> {
    const OPERATION: Operation = Operation::GetRecords;

    fn validate(&self, errors: &mut ValidationErrors) {
        errors.required_text(Path::Field("shardIterator"), &shapes::SHARD_ITERATOR, &self.shard_iterator);
        errors.integer(Path::Field("limit"), &shapes::LIMIT, self.limit);
        self.stream().validate(errors);
    }
}
