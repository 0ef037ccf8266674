//! The three ways in which a request names a stream.

use crate::validate::{Path, ValidationErrors, shapes};

/// How a request names its stream. Any combination may be present; that they agree, and that there is one where the
/// operation needs one, is checked above this crate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamRef<'r> {
    /// `StreamName`
    pub name: Option<&'r str>,
    /// `StreamARN`
    pub arn: Option<&'r str>,
    /// `StreamId`
    pub id: Option<&'r str>,
}

impl StreamRef<'_> {
    pub(crate) fn validate(&self, errors: &mut ValidationErrors) {
        errors.text(Path::Field("streamName"), &shapes::STREAM_NAME, self.name);
        errors.text(Path::Field("streamARN"), &shapes::STREAM_ARN, self.arn);
        errors.text(Path::Field("streamId"), &shapes::STREAM_ID, self.id);
    }
}
