//! Where a new iterator begins: pure.

use std::fmt;

use shard_state::ShardIdentity;
use types::{RecordNumber, SequenceNumber, TimestampMs};

use crate::{InvalidArgument, RouterError};

/// The types of iterators, as Kinesis names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IteratorType {
    /// At the record of a sequence number.
    AtSequenceNumber,
    /// Behind the record of a sequence number.
    AfterSequenceNumber,
    /// At the first record that arrived at a time or later.
    AtTimestamp,
    /// At the oldest record.
    TrimHorizon,
    /// Behind the newest record.
    Latest,
}

impl IteratorType {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            IteratorType::AtSequenceNumber => "AT_SEQUENCE_NUMBER",
            IteratorType::AfterSequenceNumber => "AFTER_SEQUENCE_NUMBER",
            IteratorType::AtTimestamp => "AT_TIMESTAMP",
            IteratorType::TrimHorizon => "TRIM_HORIZON",
            IteratorType::Latest => "LATEST",
        }
    }
}

impl fmt::Display for IteratorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is asked for, after the combination of type, sequence number and time has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start<'a> {
    TrimHorizon,
    Latest,
    At { number: &'a str },
    After { number: &'a str },
    Time(TimestampMs),
}

/// Checks that type, sequence number and time go together, as AWS does before it looks at the stream.
pub(crate) fn check<'a>(
    kind: IteratorType,
    number: Option<&'a str>,
    timestamp_ms: Option<i64>,
    now: TimestampMs,
) -> Result<Start<'a>, RouterError> {
    let start = match (kind, number) {
        (IteratorType::AtSequenceNumber, Some(number)) => Start::At { number },
        (IteratorType::AfterSequenceNumber, Some(number)) => Start::After { number },
        (IteratorType::AtSequenceNumber | IteratorType::AfterSequenceNumber, None) => {
            return Err(InvalidArgument::StartingSequenceNumberMissing(kind).into());
        }
        (_, Some(_)) => return Err(InvalidArgument::StartingSequenceNumberUnexpected(kind).into()),
        (IteratorType::TrimHorizon, None) => Start::TrimHorizon,
        (IteratorType::Latest, None) => Start::Latest,
        (IteratorType::AtTimestamp, None) => Start::Time(time(timestamp_ms, now)?),
    };
    Ok(start)
}

fn time(timestamp_ms: Option<i64>, now: TimestampMs) -> Result<TimestampMs, RouterError> {
    let timestamp_ms = timestamp_ms.ok_or(InvalidArgument::TimestampMissing)?;
    // Before 1970 there are no records, so that the oldest one is meant.
    let at = TimestampMs(u64::try_from(timestamp_ms).unwrap_or(0));
    if at > now {
        return Err(InvalidArgument::TimestampInFuture { timestamp_ms, now_ms: now.0 }.into());
    }
    Ok(at)
}

/// What is known of a shard when an iterator is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShardFacts<'a> {
    pub(crate) stream: &'a str,
    pub(crate) identity: ShardIdentity,
    /// The number of the next record to be written.
    pub(crate) latest: RecordNumber,
    /// The newest arrival.
    pub(crate) last_arrival: TimestampMs,
    pub(crate) closed: bool,
}

/// The record that a sequence number points to. One of a record that has been trimmed is fine: reading begins at what is there.
///
/// # Errors
/// Unless it is a number that this very shard has given, or its starting number. The closing number of a closed shard has an
/// error of its own, by which consumers see that the shard is done.
pub(crate) fn record_of(kind: IteratorType, text: &str, shard: &ShardFacts<'_>) -> Result<RecordNumber, RouterError> {
    let id = shard.identity.shard;
    let (stream, text_of) = (|| shard.stream.to_owned(), || text.to_owned());
    let invalid = || InvalidArgument::StartingSequenceNumber { stream: stream(), shard: id, number: text_of() };
    let number: SequenceNumber = text.parse().map_err(|_| invalid())?;
    if number.shard() != id {
        return Err(InvalidArgument::StartingSequenceNumberOfOtherShard { encoded: number.shard(), shard: id }.into());
    }
    if number.shard_created_sec() != shard.identity.created_sec {
        let foreign = InvalidArgument::StartingSequenceNumberForeign { stream: stream(), shard: id, number: text_of() };
        return Err(foreign.into());
    }
    if number.is_closing() && shard.closed {
        return Err(InvalidArgument::SequenceNumberAtShardEnd(kind).into());
    }
    let arrived_yet = number.arrival_sec() <= shard.last_arrival.seconds();
    if number == shard.identity.starting_sequence_number() {
        return Ok(RecordNumber::FIRST);
    }
    if number.record() < RecordNumber::FIRST || number.record() >= shard.latest || !arrived_yet {
        return Err(invalid().into());
    }
    Ok(number.record())
}

/// The same, one further for AFTER_SEQUENCE_NUMBER.
pub(crate) fn record_after(text: &str, shard: &ShardFacts<'_>) -> Result<RecordNumber, RouterError> {
    let record = record_of(IteratorType::AfterSequenceNumber, text, shard)?;
    let is_starting = text.parse() == Ok(shard.identity.starting_sequence_number());
    Ok(if is_starting { record } else { RecordNumber(record.0 + 1) })
}

#[cfg(test)]
mod tests;
