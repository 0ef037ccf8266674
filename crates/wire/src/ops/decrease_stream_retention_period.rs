//! DecreaseStreamRetentionPeriod

use std::borrow::Cow;

use serde::Deserialize;

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::validate::{Path, ValidationErrors};
use crate::{Operation, Required, StreamRef};

/// Shortens the time that records stay readable. The reply is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DecreaseStreamRetentionPeriod<'a> {
    /// The stream, by name.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_name: Option<Cow<'a, str>>,
    /// The stream, by ARN.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
    /// The new retention period in hours. The model has no bounds for it; they are those of the service.
    #[serde(deserialize_with = "member::required")]
    pub retention_period_hours: Required<i32>,
}

impl<'a> Structure<'a> for DecreaseStreamRetentionPeriod<'a> {}

impl DecreaseStreamRetentionPeriod<'_> {
    /// How the request names its stream.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: self.stream_name.as_deref(), arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }
}

impl<'a> Input<'a> for DecreaseStreamRetentionPeriod<'a> {
    const OPERATION: Operation = Operation::DecreaseStreamRetentionPeriod;

    fn validate(&self, errors: &mut ValidationErrors) {
        self.stream().validate(errors);
        errors.not_null(Path::Field("retentionPeriodHours"), self.retention_period_hours.present());
    }
}
