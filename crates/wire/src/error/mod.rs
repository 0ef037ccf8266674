//! All errors of the API: names, statuses, wordings, bodies. One file per theme: [`AwsError`] has one constructor for each
//! wording, so that no other crate makes up a message.
//!
//! Sources of the wordings, in this order: recordings of the real service, messages of the real service quoted in issue
//! trackers, kinesalite's tests (which also run against the real service). Where all are silent the wording is ours and
//! says so.

mod body;
mod code;
mod protocol;
mod put;
mod read;
mod retention;
mod service;
mod stream;
mod utc;
mod validation;

use std::borrow::Cow;

use http::StatusCode;

pub use code::*;

/// An error of the API: what a client sees of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}", .message.as_deref().unwrap_or("no message"))]
pub struct AwsError {
    status: StatusCode,
    code: &'static str,
    message: Option<Cow<'static, str>>,
    form: Form,
}

/// How the body of an error is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In the protocol of the request.
    Protocol,
    /// XML: the request's protocol could not be told.
    Xml,
    /// No body.
    Empty,
}

impl AwsError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: Some(message.into()), form: Form::Protocol }
    }

    fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    fn without_message(status: StatusCode, code: &'static str, form: Form) -> Self {
        Self { status, code, message: None, form }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The AWS name, as in `__type`, and in `ErrorCode` of an entry of PutRecords.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Whether it says that something isn't there: `ResourceNotFoundException`.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code == RESOURCE_NOT_FOUND
    }

    /// The message, where AWS sends one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}
