//! Iterators and reads that cannot be.

use super::utc::Utc;
use super::{AwsError, code};

/// How long an iterator lives, in milliseconds, as AWS says it in the message.
const ITERATOR_LIFETIME_MS: u64 = 300_000;

impl AwsError {
    /// An iterator that this service did not make, or that was changed.
    #[must_use]
    pub fn iterator_invalid() -> Self {
        Self::bad_request(code::INVALID_ARGUMENT, "Invalid ShardIterator.")
    }

    /// An iterator older than five minutes. Times are milliseconds since the Unix epoch.
    #[must_use]
    pub fn iterator_expired(created_ms: u64, now_ms: u64) -> Self {
        let (created, now) = (Utc(created_ms), Utc(now_ms));
        let message = format!(
            "Iterator expired. The iterator was created at time {created} while right now it is {now} which is further in \
             the future than the tolerated delay of {ITERATOR_LIFETIME_MS} milliseconds."
        );
        Self::bad_request(code::EXPIRED_ITERATOR, message)
    }

    /// A shard is read too often or too much.
    #[must_use]
    pub fn read_rate_exceeded(shard: &str, stream: &str, account: &str) -> Self {
        let message = format!("Rate exceeded for Shard - {account}/{stream}/{shard}");
        Self::bad_request(code::PROVISIONED_THROUGHPUT_EXCEEDED, message)
    }

    /// The type of the iterator needs a `StartingSequenceNumber`.
    #[must_use]
    pub fn starting_sequence_number_missing(iterator_type: &str) -> Self {
        starting_sequence_number_mismatch(iterator_type, "no")
    }

    /// The type of the iterator excludes a `StartingSequenceNumber`.
    #[must_use]
    pub fn starting_sequence_number_unexpected(iterator_type: &str) -> Self {
        starting_sequence_number_mismatch(iterator_type, "also a")
    }

    /// A `StartingSequenceNumber` that is none.
    #[must_use]
    pub fn starting_sequence_number_invalid(number: &str, shard: &str, stream: &str, account: &str) -> Self {
        Self::starting_sequence_number(number, shard, stream, account, "")
    }

    /// A `StartingSequenceNumber` of another stream, or of an earlier stream of this name.
    #[must_use]
    pub fn starting_sequence_number_foreign(number: &str, shard: &str, stream: &str, account: &str) -> Self {
        Self::starting_sequence_number(number, shard, stream, account, " because it did not come from this stream")
    }

    fn starting_sequence_number(number: &str, shard: &str, stream: &str, account: &str, because: &str) -> Self {
        let message = format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {shard} in stream {stream} under account \
             {account} is invalid{because}."
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// A `StartingSequenceNumber` of another shard of the stream.
    #[must_use]
    pub fn starting_sequence_number_of_other_shard(encoded_shard: &str, shard: &str) -> Self {
        let message = format!(
            "Invalid StartingSequenceNumber. It encodes {encoded_shard}, while it was used in a call to a shard with {shard}"
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// The ending number of a closed shard, after which nothing can come. Consumers look for "has reached max possible
    /// value for the shard" to tell that the shard is done.
    #[must_use]
    pub fn sequence_number_at_shard_end(iterator_type: &str) -> Self {
        let message = format!(
            "Invalid SequenceNumber for ShardIteratorType {iterator_type}, SequenceNumber has reached max possible value \
             for the shard."
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// AT_TIMESTAMP without a time.
    #[must_use]
    pub fn timestamp_missing() -> Self {
        let message = "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has \
                       no timestamp parameter.";
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// AT_TIMESTAMP in the future. Times are milliseconds since the Unix epoch.
    #[must_use]
    pub fn timestamp_in_future(timestamp_ms: i64, now_ms: u64) -> Self {
        let message = format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: \
             {timestamp_ms}, currentTimestampInMillis: {now_ms}"
        );
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }
}

fn starting_sequence_number_mismatch(iterator_type: &str, has: &str) -> AwsError {
    let message = format!(
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON \
         or LATEST and no StartingSequenceNumber. Request specified {iterator_type} and {has} StartingSequenceNumber."
    );
    AwsError::bad_request(code::INVALID_ARGUMENT, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_iterator_names_both_times_as_quoted_from_the_service() {
        assert_eq!(
            AwsError::iterator_expired(1_583_283_760_999, 1_583_284_230_000).message().unwrap(),
            "Iterator expired. The iterator was created at time Wed Mar 04 01:02:40 UTC 2020 while right now it is Wed Mar \
             04 01:10:30 UTC 2020 which is further in the future than the tolerated delay of 300000 milliseconds."
        );
    }

    #[test]
    fn a_time_in_the_future_reads_as_quoted_from_the_service() {
        assert_eq!(
            AwsError::timestamp_in_future(1_593_030_726_246, 1_593_030_724_560).message().unwrap(),
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: \
             1593030726246, currentTimestampInMillis: 1593030724560"
        );
    }

    #[test]
    fn the_end_of_a_closed_shard_reads_as_quoted_from_the_service() {
        assert_eq!(
            AwsError::sequence_number_at_shard_end("AFTER_SEQUENCE_NUMBER").message().unwrap(),
            "Invalid SequenceNumber for ShardIteratorType AFTER_SEQUENCE_NUMBER, SequenceNumber has reached max possible \
             value for the shard."
        );
    }
}
