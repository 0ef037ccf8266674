//! What the router refuses, as the AWS error that it is.

use router::{InUse, InvalidArgument, LimitExceeded, NotFound, Options, RouterError};
use wire::{AwsError, InvalidBase64};

use crate::shapes::stream_status;

/// Clients see this and try again; what happened is in the node's log.
const UNAVAILABLE: &str = "The server can't answer this now. Try again.";

pub(crate) fn aws_error(options: &Options, error: RouterError) -> AwsError {
    let account = options.account.as_str();
    match error {
        RouterError::NotFound(error) => not_found(account, &error),
        RouterError::InUse(InUse::StreamExists { stream }) => AwsError::stream_exists(&stream, account),
        RouterError::InUse(InUse::NotActive { stream, status }) => {
            AwsError::stream_not_active(&stream, account, stream_status(status))
        }
        RouterError::InvalidArgument(error) => invalid_argument(account, error),
        RouterError::LimitExceeded(LimitExceeded::Shards { open, limit, asked }) => {
            AwsError::shard_limit_exceeded(account, &options.region, open, limit, asked)
        }
        RouterError::LimitExceeded(LimitExceeded::OnDemandStreams { .. } | LimitExceeded::CreatingStreams { .. }) => {
            AwsError::account_rate_exceeded(account)
        }
        RouterError::ExpiredIterator { created_ms, now_ms } => AwsError::iterator_expired(created_ms, now_ms),
        RouterError::ExpiredNextToken => AwsError::next_token_expired(),
        RouterError::WriteThrottled { stream, shard } => {
            AwsError::write_rate_exceeded(&shard.to_string(), &stream, account)
        }
        RouterError::ReadThrottled { stream, shard } => {
            AwsError::read_rate_exceeded(&shard.to_string(), &stream, account)
        }
        RouterError::Overloaded(reason) => AwsError::write_overloaded(reason),
        RouterError::Unavailable(reason) => {
            tracing::debug!(reason, "answered as unavailable");
            AwsError::service_unavailable(UNAVAILABLE)
        }
        RouterError::Internal(reason) => {
            tracing::error!(reason, "internal failure");
            AwsError::internal_failure()
        }
    }
}

fn not_found(account: &str, error: &NotFound) -> AwsError {
    match error {
        NotFound::Stream { stream } => AwsError::stream_not_found(stream, account),
        // The token has the stream's id; its name is gone with it.
        NotFound::StreamOfToken => AwsError::stream_not_found("of this token", account),
        NotFound::Shard { stream, shard } => AwsError::shard_not_found(&shard.to_string(), stream, account),
        NotFound::ShardId { stream, shard } => AwsError::shard_id_unusable(shard, stream, account),
    }
}

fn invalid_argument(account: &str, error: InvalidArgument) -> AwsError {
    use InvalidArgument as Invalid;
    match error {
        Invalid::StreamMissing => AwsError::stream_missing(),
        Invalid::StreamNamesDiffer { name, arn } => AwsError::stream_name_and_arn_differ(&name, &arn),
        Invalid::ArnUnusable { arn } => AwsError::stream_arn_unusable(&arn),
        // Validation has refused it before; whatever comes here names no stream.
        Invalid::StreamName { name } => AwsError::stream_not_found(&name, account),
        Invalid::ExplicitHashKey { hash_key } => AwsError::explicit_hash_key_out_of_range(&hash_key),
        Invalid::Data { .. } => InvalidBase64.into(),
        Invalid::RecordTooLarge { index, max_bytes } => AwsError::record_too_large(Some(index), max_bytes),
        Invalid::SequenceNumberForOrdering { stream, number } => {
            AwsError::sequence_number_for_ordering_invalid(&number, &stream, account)
        }
        Invalid::Iterator => AwsError::iterator_invalid(),
        Invalid::NextToken => AwsError::next_token_invalid(),
        Invalid::RetentionTooShort { .. }
        | Invalid::RetentionTooLong { .. }
        | Invalid::RetentionNotIncreased { .. }
        | Invalid::RetentionNotDecreased { .. } => retention(&error),
        other => iterator_start(account, other),
    }
}

fn retention(error: &InvalidArgument) -> AwsError {
    use types::limits::{RETENTION_HOURS_MAX, RETENTION_HOURS_MIN};
    match error {
        InvalidArgument::RetentionTooShort { hours } => AwsError::retention_too_short(*hours, RETENTION_HOURS_MIN),
        InvalidArgument::RetentionTooLong { hours } => AwsError::retention_too_long(*hours, RETENTION_HOURS_MAX),
        InvalidArgument::RetentionNotIncreased { stream, hours, existing_hours } => {
            AwsError::retention_not_increased(*hours, stream, *existing_hours)
        }
        InvalidArgument::RetentionNotDecreased { stream, hours, existing_hours } => {
            AwsError::retention_not_decreased(*hours, stream, *existing_hours)
        }
        _ => AwsError::internal_failure(),
    }
}

fn iterator_start(account: &str, error: InvalidArgument) -> AwsError {
    use InvalidArgument as Invalid;
    match error {
        Invalid::StartingSequenceNumberMissing(kind) => AwsError::starting_sequence_number_missing(kind.as_str()),
        Invalid::StartingSequenceNumberUnexpected(kind) => AwsError::starting_sequence_number_unexpected(kind.as_str()),
        Invalid::StartingSequenceNumber { stream, shard, number } => {
            AwsError::starting_sequence_number_invalid(&number, &shard.to_string(), &stream, account)
        }
        Invalid::StartingSequenceNumberForeign { stream, shard, number } => {
            AwsError::starting_sequence_number_foreign(&number, &shard.to_string(), &stream, account)
        }
        Invalid::StartingSequenceNumberOfOtherShard { encoded, shard } => {
            AwsError::starting_sequence_number_of_other_shard(&encoded.to_string(), &shard.to_string())
        }
        Invalid::SequenceNumberAtShardEnd(kind) => AwsError::sequence_number_at_shard_end(kind.as_str()),
        Invalid::TimestampMissing => AwsError::timestamp_missing(),
        Invalid::TimestampInFuture { timestamp_ms, now_ms } => AwsError::timestamp_in_future(timestamp_ms, now_ms),
        other => {
            tracing::error!(error = %other, "a refusal without words");
            AwsError::internal_failure()
        }
    }
}
