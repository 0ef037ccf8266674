//! DeleteStream

use std::borrow::Cow;

use serde::Deserialize;

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::validate::ValidationErrors;
use crate::{Operation, StreamRef};

/// Deletes a stream with its records. The reply is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DeleteStream<'a> {
    /// The stream, by name.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_name: Option<Cow<'a, str>>,
    /// The stream, by ARN.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
    /// Deletes the stream also when it has consumers.
    #[serde(deserialize_with = "member::optional")]
    pub enforce_consumer_deletion: Option<bool>,
}

impl<'a> Structure<'a> for DeleteStream<'a> {}

impl DeleteStream<'_> {
    /// How the request names its stream.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: self.stream_name.as_deref(), arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }
}

impl<'a> Input<'a> for DeleteStream<'a> {
    const OPERATION: Operation = Operation::DeleteStream;

    fn validate(&self, errors: &mut ValidationErrors) {
        self.stream().validate(errors);
    }
}
