//! Retention periods (wordings of kinesalite's tests, with today's maximum passed in).

use super::{AwsError, code};

impl AwsError {
    /// Below what any stream may have.
    #[must_use]
    pub fn retention_too_short(hours: i32, min_hours: u32) -> Self {
        let message = format!(
            "Minimum allowed retention period is {min_hours} hours. Requested retention period ({hours} hours) is too short."
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// Above what any stream may have.
    #[must_use]
    pub fn retention_too_long(hours: i32, max_hours: u32) -> Self {
        let message = format!(
            "Maximum allowed retention period is {max_hours} hours. Requested retention period ({hours} hours) is too long."
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// An increase to less than the stream has.
    #[must_use]
    pub fn retention_not_increased(hours: i32, stream: &str, existing_hours: u32) -> Self {
        let message = format!(
            "Requested retention period ({hours} hours) for stream {stream} can not be shorter than existing retention \
             period ({existing_hours} hours). Use DecreaseRetentionPeriod API."
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// A decrease to more than the stream has.
    #[must_use]
    pub fn retention_not_decreased(hours: i32, stream: &str, existing_hours: u32) -> Self {
        let message = format!(
            "Requested retention period ({hours} hours) for stream {stream} can not be longer than existing retention \
             period ({existing_hours} hours). Use IncreaseRetentionPeriod API."
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }
}
