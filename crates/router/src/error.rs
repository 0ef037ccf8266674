//! Why a request fails. Which AWS error that is, and in which words, the API knows.

use catalog_state::StreamStatus;
use thiserror::Error;
use types::ShardId;

use crate::IteratorType;

/// Why a request fails as a whole. What happens to single records of a put is a [`crate::PutOutcome`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouterError {
    /// Something that the request names isn't there: `ResourceNotFoundException`.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// It is there, and in the way or in the wrong state: `ResourceInUseException`.
    #[error(transparent)]
    InUse(#[from] InUse),
    /// The request contradicts itself or the stream: `InvalidArgumentException`, `ValidationException` for some kinds.
    #[error(transparent)]
    InvalidArgument(#[from] InvalidArgument),
    /// The account has what it may have: `LimitExceededException`.
    #[error(transparent)]
    LimitExceeded(#[from] LimitExceeded),
    /// The iterator is older than five minutes: `ExpiredIteratorException`, with both times in the message.
    #[error("the iterator of {created_ms} ms has expired at {now_ms} ms")]
    ExpiredIterator {
        /// When it was made, milliseconds since 1970.
        created_ms: u64,
        /// Now, milliseconds since 1970.
        now_ms: u64,
    },
    /// A page's token is older than five minutes: `ExpiredNextTokenException`.
    #[error("the token of the next page has expired")]
    ExpiredNextToken,
    /// The shard's write limit is reached: `ProvisionedThroughputExceededException`.
    #[error("{shard} takes no more records now")]
    WriteThrottled {
        /// The stream's name.
        stream: String,
        /// The shard.
        shard: ShardId,
    },
    /// The shard's read limit is reached: `ProvisionedThroughputExceededException`.
    #[error("{shard} gives no more records now")]
    ReadThrottled {
        /// The stream's name.
        stream: String,
        /// The shard.
        shard: ShardId,
    },
    /// The node cannot take more now, for a reason that passes: `ProvisionedThroughputExceededException` for puts, which clients
    /// retry.
    #[error("{0}")]
    Overloaded(&'static str),
    /// It may or may not have been carried out, or can't be now: a server error, which clients retry.
    #[error("{0}")]
    Unavailable(String),
    /// A failure of this node that does not pass by itself: a server error.
    #[error("{0}")]
    Internal(String),
}

/// What isn't there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotFound {
    /// No stream of this name, ARN or id.
    #[error("stream {stream} not found")]
    Stream {
        /// The name; the id where the request gave no name.
        stream: String,
    },
    /// The stream of an iterator or a page's token is gone; one of the same name may exist.
    #[error("the stream of this token is gone")]
    StreamOfToken,
    /// A well-formed shard id that the stream does not have.
    #[error("{shard} of stream {stream} not found")]
    Shard {
        /// The stream's name.
        stream: String,
        /// The id.
        shard: ShardId,
    },
    /// A shard id that cannot be one.
    #[error("{shard} cannot be a shard of stream {stream}")]
    ShardId {
        /// The stream's name.
        stream: String,
        /// What the request said.
        shard: String,
    },
}

/// What is in the way.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InUse {
    /// A stream of this name exists.
    #[error("stream {stream} exists")]
    StreamExists {
        /// The name.
        stream: String,
    },
    /// The operation needs a stream in another state.
    #[error("stream {stream} is {status}")]
    NotActive {
        /// The name.
        stream: String,
        /// What it is.
        status: StreamStatus,
    },
}

/// What is wrong with a request that is well-formed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidArgument {
    /// It names no stream.
    #[error("no stream is named")]
    StreamMissing,
    /// Name, ARN or id are not of the same stream.
    #[error("{name} and {arn} are different streams")]
    StreamNamesDiffer {
        /// The name, or the id.
        name: String,
        /// The ARN, or the name.
        arn: String,
    },
    /// An ARN of another account, region or kind.
    #[error("{arn} is no stream here")]
    ArnUnusable {
        /// The ARN.
        arn: String,
    },
    /// The stream's name has characters or a length that none has: `ValidationException`, refused by the API before.
    #[error("{name} is no stream name")]
    StreamName {
        /// The name.
        name: String,
    },
    /// A hash key of 2^128 or more.
    #[error("explicit hash key {hash_key}")]
    ExplicitHashKey {
        /// What the request said.
        hash_key: String,
    },
    /// A record's data does not decode: `SerializationException`.
    #[error("the data of record {index} does not decode")]
    Data {
        /// The record's place in the request, from 0.
        index: usize,
    },
    /// A record is larger than the stream allows: `ValidationException`.
    #[error("record {index} has more than {max_bytes} bytes")]
    RecordTooLarge {
        /// The record's place in the request, from 0.
        index: usize,
        /// What the stream allows, data and partition key.
        max_bytes: usize,
    },
    /// No sequence number, one of the future, or one that no earlier record of this partition key has.
    #[error("sequence number for ordering {number}")]
    SequenceNumberForOrdering {
        /// The stream's name.
        stream: String,
        /// What the request said.
        number: String,
    },
    /// Not a token of this service, or a changed one.
    #[error("invalid iterator")]
    Iterator,
    /// The type needs a starting sequence number.
    #[error("{0} needs a starting sequence number")]
    StartingSequenceNumberMissing(IteratorType),
    /// The type excludes a starting sequence number.
    #[error("{0} excludes a starting sequence number")]
    StartingSequenceNumberUnexpected(IteratorType),
    /// The starting sequence number is none, or of a record that isn't there yet.
    #[error("starting sequence number {number}")]
    StartingSequenceNumber {
        /// The stream's name.
        stream: String,
        /// The shard of the request.
        shard: ShardId,
        /// What the request said.
        number: String,
    },
    /// The starting sequence number is of another stream, or of an earlier one of this name.
    #[error("starting sequence number {number} is of another stream")]
    StartingSequenceNumberForeign {
        /// The stream's name.
        stream: String,
        /// The shard of the request.
        shard: ShardId,
        /// What the request said.
        number: String,
    },
    /// The starting sequence number is of another shard.
    #[error("the starting sequence number is of {encoded}, not of {shard}")]
    StartingSequenceNumberOfOtherShard {
        /// The shard of the number.
        encoded: ShardId,
        /// The shard of the request.
        shard: ShardId,
    },
    /// The starting sequence number ends a closed shard: nothing follows.
    #[error("the starting sequence number ends the shard")]
    SequenceNumberAtShardEnd(IteratorType),
    /// AT_TIMESTAMP without a time.
    #[error("AT_TIMESTAMP needs a time")]
    TimestampMissing,
    /// AT_TIMESTAMP in the future.
    #[error("the time {timestamp_ms} ms lies after {now_ms} ms")]
    TimestampInFuture {
        /// What the request said, milliseconds since 1970.
        timestamp_ms: i64,
        /// Now, milliseconds since 1970.
        now_ms: u64,
    },
    /// Not a token of a page of this service, or a changed one.
    #[error("invalid token of a page")]
    NextToken,
    /// Fewer hours than any stream may have.
    #[error("retention of {hours} h is too short")]
    RetentionTooShort {
        /// Hours asked for.
        hours: i32,
    },
    /// More hours than any stream may have.
    #[error("retention of {hours} h is too long")]
    RetentionTooLong {
        /// Hours asked for.
        hours: i32,
    },
    /// An increase to no more than today.
    #[error("retention of {hours} h is no increase over {existing_hours} h")]
    RetentionNotIncreased {
        /// The stream's name.
        stream: String,
        /// Hours asked for.
        hours: i32,
        /// Hours today.
        existing_hours: u32,
    },
    /// A decrease to no less than today.
    #[error("retention of {hours} h is no decrease from {existing_hours} h")]
    RetentionNotDecreased {
        /// The stream's name.
        stream: String,
        /// Hours asked for.
        hours: i32,
        /// Hours today.
        existing_hours: u32,
    },
}

/// Which of the account's limits a request would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LimitExceeded {
    /// Open shards of provisioned streams.
    #[error("{asked} more shards than {open} exceed the limit of {limit}")]
    Shards {
        /// Open today.
        open: u32,
        /// The limit.
        limit: u32,
        /// How many more were asked for.
        asked: u32,
    },
    /// On-demand streams.
    #[error("{limit} on-demand streams exist")]
    OnDemandStreams {
        /// The limit.
        limit: u32,
    },
    /// Streams being created at once.
    #[error("{limit} streams are being created")]
    CreatingStreams {
        /// The limit.
        limit: u32,
    },
}
