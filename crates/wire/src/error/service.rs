//! Errors of any operation: who asks, how often, and the service's own failures.

use http::StatusCode;

use super::{AwsError, Form, code};

impl AwsError {
    /// A request without a signature.
    #[must_use]
    pub fn missing_authentication_token() -> Self {
        Self::bad_request(code::MISSING_AUTHENTICATION_TOKEN, "Missing Authentication Token")
    }

    /// A signature that lacks parts; `what` says which.
    #[must_use]
    pub fn incomplete_signature(what: String) -> Self {
        Self::bad_request(code::INCOMPLETE_SIGNATURE, what)
    }

    /// A signature that is not right; `why` is said to the client.
    #[must_use]
    pub fn invalid_signature(why: String) -> Self {
        Self::bad_request(code::INVALID_SIGNATURE, why)
    }

    /// An access key that does not exist.
    #[must_use]
    pub fn unrecognized_client() -> Self {
        Self::bad_request(code::UNRECOGNIZED_CLIENT, "The security token included in the request is invalid.")
    }

    /// The caller may not do this.
    #[must_use]
    pub fn access_denied(message: String) -> Self {
        Self::bad_request(code::ACCESS_DENIED, message)
    }

    /// A failure of the service: 500, clients try again. AWS says no more than the name.
    #[must_use]
    pub fn internal_failure() -> Self {
        Self::without_message(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL_FAILURE, Form::Protocol)
    }

    /// The same for one entry of PutRecords, where AWS has a message (documentation of PutRecords).
    #[must_use]
    pub fn internal_failure_of_record() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL_FAILURE, "Internal service failure.")
    }

    /// The service cannot take this request now: 503, clients try again (our wording).
    #[must_use]
    pub fn service_unavailable(reason: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::SERVICE_UNAVAILABLE, reason)
    }

    /// Too many calls of a control operation.
    #[must_use]
    pub fn control_rate_exceeded(stream: &str, account: &str) -> Self {
        Self::bad_request(code::LIMIT_EXCEEDED, format!("Rate exceeded for stream {stream} under account {account}."))
    }

    /// Too many calls of an operation that names no stream (our wording after the above).
    #[must_use]
    pub fn account_rate_exceeded(account: &str) -> Self {
        Self::bad_request(code::LIMIT_EXCEEDED, format!("Rate exceeded for account {account}."))
    }
}
