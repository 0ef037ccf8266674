//! Records that cannot be taken.

use super::{AwsError, code};
use crate::validate::{Offender, Path, ValidationErrors};

impl AwsError {
    /// A record over the stream's record size. `index` is the entry's in PutRecords, from 0, and `None` for PutRecord;
    /// `max_bytes` is the stream's limit. (AWS' wording since 2025, which no longer repeats the value.)
    #[must_use]
    pub fn record_too_large(index: Option<usize>, max_bytes: usize) -> Self {
        let path = index.map_or(Path::Field("data"), |index| Path::Element("records", index, "data"));
        let mut errors = ValidationErrors::default();
        errors.length_at_most(Offender::Hidden, path, max_bytes);
        errors.into_result().err().unwrap_or_else(Self::internal_failure)
    }

    /// The entries of one PutRecords together over its limit (our wording).
    #[must_use]
    pub fn records_too_large(max_bytes: usize) -> Self {
        let message = format!("Records size exceeds {max_bytes} bytes limit");
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// A hash key of 2^128 or more.
    #[must_use]
    pub fn explicit_hash_key_out_of_range(hash_key: &str) -> Self {
        let message = format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {hash_key}"
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// `SequenceNumberForOrdering` is none, or of the future.
    #[must_use]
    pub fn sequence_number_for_ordering_invalid(sequence_number: &str, stream: &str, account: &str) -> Self {
        let message = format!(
            "ExclusiveMinimumSequenceNumber {sequence_number} used in PutRecord on stream {stream} under account \
             {account} is invalid."
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// A shard takes no more writes now; also the error of an entry of PutRecords.
    #[must_use]
    pub fn write_rate_exceeded(shard: &str, stream: &str, account: &str) -> Self {
        let message = format!("Rate exceeded for shard {shard} in stream {stream} under account {account}.");
        Self::bad_request(code::PROVISIONED_THROUGHPUT_EXCEEDED, message)
    }

    /// The node holds as much unwritten data as it may, or its disk is full; `reason` is for the operator's eyes in the
    /// producer's log (our wording; clients retry this error).
    #[must_use]
    pub fn write_overloaded(reason: &'static str) -> Self {
        Self::bad_request(code::PROVISIONED_THROUGHPUT_EXCEEDED, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_over_the_limit_reads_as_quoted_from_the_service() {
        assert_eq!(
            AwsError::record_too_large(Some(0), 1_048_576).message().unwrap(),
            "1 validation error detected: Value at 'records.1.member.data' failed to satisfy constraint: Member must \
             have length less than or equal to 1048576"
        );
        assert!(AwsError::record_too_large(None, 1).message().unwrap().contains("Value at 'data' failed"));
    }
}
