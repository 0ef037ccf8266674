//! Violated constraints of the model.

use super::{AwsError, code};

impl AwsError {
    /// The constraints that a request violates, at least one.
    pub(crate) fn validation_errors(violations: &[String]) -> Self {
        let count = violations.len();
        let noun = if count == 1 { "error" } else { "errors" };
        Self::bad_request(code::VALIDATION, format!("{count} validation {noun} detected: {}", violations.join("; ")))
    }
}
