//! Requests that cannot be understood: target, content type, body.

use std::borrow::Cow;

use http::StatusCode;

use super::{AwsError, Form, code};
use crate::{InvalidBase64, Operation};

impl AwsError {
    /// No operation can be told from method and headers: 403, XML.
    #[must_use]
    pub fn operation_undetermined() -> Self {
        let message = "Unable to determine service/operation name to be authorized";
        Self { form: Form::Xml, ..Self::new(StatusCode::FORBIDDEN, code::ACCESS_DENIED, message) }
    }

    /// A content type that no service at this address speaks: 404, XML.
    #[must_use]
    pub fn content_type_unknown() -> Self {
        Self::without_message(StatusCode::NOT_FOUND, code::UNKNOWN_OPERATION, Form::Xml)
    }

    /// An operation that Kinesis does not have.
    #[must_use]
    pub fn unknown_operation() -> Self {
        Self::without_message(StatusCode::BAD_REQUEST, code::UNKNOWN_OPERATION, Form::Protocol)
    }

    /// An operation that Kinesis has and this version of Thalweg does not (our wording).
    #[must_use]
    pub fn operation_not_served(operation: Operation) -> Self {
        let message = format!("{} is an operation of Kinesis that this server does not serve yet.", operation.name());
        Self::bad_request(code::UNKNOWN_OPERATION, message)
    }

    /// The CBOR protocol, which this version of Thalweg does not speak (our wording).
    #[must_use]
    pub fn cbor_not_served() -> Self {
        let message = "This server does not speak CBOR yet. Have the client speak JSON: for the Java SDK and the KCL set \
                       the environment variable AWS_CBOR_DISABLE=true.";
        Self::bad_request(code::UNKNOWN_OPERATION, message)
    }

    /// A body larger than the server takes: 413 without a body.
    #[must_use]
    pub fn body_too_large() -> Self {
        Self::without_message(StatusCode::PAYLOAD_TOO_LARGE, code::REQUEST_ENTITY_TOO_LARGE, Form::Empty)
    }

    /// A body that is not of its protocol: no message.
    #[must_use]
    pub fn not_parseable() -> Self {
        Self::without_message(StatusCode::BAD_REQUEST, code::SERIALIZATION, Form::Protocol)
    }

    /// A value of a wrong type.
    pub(crate) fn serialization(message: impl Into<Cow<'static, str>>) -> Self {
        Self::bad_request(code::SERIALIZATION, message)
    }
}

impl From<InvalidBase64> for AwsError {
    fn from(_: InvalidBase64) -> Self {
        Self::serialization("STRING_VALUE can not be converted to a Blob: Invalid Base64 character")
    }
}
