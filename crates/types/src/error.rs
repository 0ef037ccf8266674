use thiserror::Error;

/// Why a text is not the value it was read as. The AWS error is made by the caller, who knows the parameter's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Not `[a-zA-Z0-9_.-]+` of 1 to 128 characters.
    #[error("a stream name has 1 to 128 characters of a-z, A-Z, 0-9, '_', '.' and '-'")]
    StreamName,
    /// Not `shardId-` and a number below 2^31.
    #[error("a shard id is shardId- and twelve digits, below 2^31")]
    ShardId,
    /// Not a decimal number from 0 to 2^128-1 without sign and leading zeros.
    #[error("a hash key is a decimal number from 0 to 2^128-1")]
    HashKey,
    /// Not a decimal number, or not one that Kinesis has ever given to a record or a shard.
    #[error("not a sequence number")]
    SequenceNumber,
    /// Not `arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME`.
    #[error("a stream ARN is arn:aws:kinesis:REGION:ACCOUNT:stream/NAME")]
    StreamArn,
}
