//! Streams and shards: absent, in the way, or in the wrong state.

use super::{AwsError, code};
use crate::shape::StreamStatus;

impl AwsError {
    /// No such stream (recorded).
    #[must_use]
    pub fn stream_not_found(stream: &str, account: &str) -> Self {
        Self::bad_request(code::RESOURCE_NOT_FOUND, format!("Stream {stream} under account {account} not found."))
    }

    /// A stream of this name exists already.
    #[must_use]
    pub fn stream_exists(stream: &str, account: &str) -> Self {
        Self::bad_request(code::RESOURCE_IN_USE, format!("Stream {stream} under account {account} already exists."))
    }

    /// The operation needs an active stream.
    #[must_use]
    pub fn stream_not_active(stream: &str, account: &str, status: StreamStatus) -> Self {
        let status = status.name();
        let message = format!("Stream {stream} under account {account} not ACTIVE, instead in state {status}");
        Self::bad_request(code::RESOURCE_IN_USE, message)
    }

    /// A well-formed shard id that the stream does not have.
    #[must_use]
    pub fn shard_not_found(shard: &str, stream: &str, account: &str) -> Self {
        let message = format!("Shard {shard} in stream {stream} under account {account} does not exist");
        Self::bad_request(code::RESOURCE_NOT_FOUND, message)
    }

    /// A shard id that cannot be one.
    #[must_use]
    pub fn shard_id_unusable(shard: &str, stream: &str, account: &str) -> Self {
        let message = format!("Could not find shard {shard} in stream {stream} under account {account}.");
        Self::bad_request(code::RESOURCE_NOT_FOUND, message)
    }

    /// The request names no stream at all (our wording after ListShards').
    #[must_use]
    pub fn stream_missing() -> Self {
        Self::bad_request(code::INVALID_ARGUMENT, "Either StreamName or StreamARN should be provided.")
    }

    /// Name and ARN are of different streams (our wording).
    #[must_use]
    pub fn stream_name_and_arn_differ(name: &str, arn: &str) -> Self {
        let message = format!("StreamName {name} and StreamARN {arn} do not name the same stream.");
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }

    /// An ARN of the right form that is of another account, region or service (our wording).
    #[must_use]
    pub fn stream_arn_unusable(arn: &str) -> Self {
        Self::bad_request(code::INVALID_ARGUMENT, format!("StreamARN {arn} does not name a stream of this service."))
    }

    /// The account would have more shards than its quota (recorded by kinesalite's tests).
    #[must_use]
    pub fn shard_limit_exceeded(account: &str, region: &str, open: u32, limit: u32, asked: u32) -> Self {
        let message = format!(
            "This request would exceed the shard limit for the account {account} in {region}. Current shard count for \
             the account: {open}. Limit: {limit}. Number of additional shards that would have resulted from this \
             request: {asked}. Refer to the AWS Service Limits page \
             (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to \
             request higher limits."
        );
        Self::bad_request(code::LIMIT_EXCEEDED, message)
    }

    /// An on-demand stream decides on its shards itself (our wording).
    #[must_use]
    pub fn shard_count_with_on_demand() -> Self {
        Self::bad_request(code::VALIDATION, "ShardCount is not allowed for a stream in the ON_DEMAND capacity mode.")
    }

    /// Something that Kinesis can and this version of Thalweg cannot; `what` names the member (our wording).
    #[must_use]
    pub fn not_supported(what: &'static str) -> Self {
        Self::bad_request(code::INVALID_ARGUMENT, format!("{what} is not supported by this server yet."))
    }

    /// ListShards with neither of the two.
    #[must_use]
    pub fn list_shards_needs_stream() -> Self {
        Self::bad_request(code::INVALID_ARGUMENT, "Either NextToken or StreamName should be provided.")
    }

    /// A token stands for the whole first request, so `member` may not be repeated beside it: `StreamName`, `ShardFilter`.
    #[must_use]
    pub fn next_token_with(member: &'static str) -> Self {
        Self::bad_request(code::INVALID_ARGUMENT, format!("NextToken and {member} cannot be provided together."))
    }

    /// A token that this service did not make (our wording).
    #[must_use]
    pub fn next_token_invalid() -> Self {
        Self::bad_request(code::INVALID_ARGUMENT, "NextToken is invalid.")
    }

    /// A token that is older than it may be (our wording).
    #[must_use]
    pub fn next_token_expired() -> Self {
        Self::bad_request(code::EXPIRED_NEXT_TOKEN, "NextToken has expired.")
    }

    /// A filter of ListShards lacks the member that its type needs: `ShardId` or `Timestamp` (our wording).
    #[must_use]
    pub fn shard_filter_needs(member: &'static str, filter_type: &str) -> Self {
        let message = format!("{member} must be provided in ShardFilter of type {filter_type}.");
        Self::bad_request(code::INVALID_ARGUMENT, message)
    }
}
