//! The router's words in the wire's shapes.

use std::borrow::Cow;

use router::{Shard, StreamView};
use types::{HashKeyRange, ShardId};
use wire::shape::{SequenceNumberRange, StreamMode, StreamModeDetails, StreamStatus};
use wire::{StreamRef, Timestamp};

/// Characters of a shard id.
const SHARD_ID_CHARS: usize = 20;

pub(crate) fn stream_ref(named: StreamRef<'_>) -> router::StreamRef<'_> {
    router::StreamRef { name: named.name, arn: named.arn, id: named.id }
}

pub(crate) fn stream_status(status: router::StreamStatus) -> StreamStatus {
    match status {
        router::StreamStatus::Creating => StreamStatus::Creating,
        router::StreamStatus::Active => StreamStatus::Active,
        router::StreamStatus::Updating => StreamStatus::Updating,
        router::StreamStatus::Deleting => StreamStatus::Deleting,
    }
}

pub(crate) fn mode_details(stream: &StreamView) -> StreamModeDetails {
    let stream_mode = match stream.mode {
        router::StreamMode::Provisioned => StreamMode::Provisioned,
        router::StreamMode::OnDemand => StreamMode::OnDemand,
    };
    StreamModeDetails { stream_mode }
}

pub(crate) fn created(stream: &StreamView) -> Timestamp {
    Timestamp(stream.created.0)
}

pub(crate) fn hash_key_range(range: HashKeyRange) -> wire::shape::HashKeyRange {
    wire::shape::HashKeyRange { starting_hash_key: range.start.0, ending_hash_key: range.end.0 }
}

pub(crate) fn shard_shape(shard: &Shard) -> wire::shape::Shard<'static> {
    let id = |id: ShardId| Cow::Owned(id.to_string());
    let ending = shard.closed.as_ref().map(|closed| Cow::Owned(closed.ending.to_string()));
    wire::shape::Shard {
        shard_id: id(shard.id),
        parent_shard_id: shard.parent.map(id),
        adjacent_parent_shard_id: shard.adjacent_parent.map(id),
        hash_key_range: hash_key_range(shard.range),
        sequence_number_range: SequenceNumberRange {
            starting_sequence_number: Cow::Owned(shard.starting_sequence_number().to_string()),
            ending_sequence_number: ending,
        },
    }
}

/// A limit of a request, which validation has kept above 0.
pub(crate) fn limit(limit: Option<i32>) -> Option<u32> {
    limit.and_then(|limit| u32::try_from(limit).ok())
}

/// Writes a shard's id without an allocation: once for each record of a put.
pub(crate) fn shard_id_text(shard: ShardId, buffer: &mut [u8; SHARD_ID_CHARS]) -> &str {
    *buffer = *b"shardId-000000000000";
    let mut rest = shard.0;
    for digit in buffer.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    std::str::from_utf8(buffer).unwrap_or_default()
}

/// Room for [`shard_id_text`].
pub(crate) const SHARD_ID_ROOM: [u8; SHARD_ID_CHARS] = [0; SHARD_ID_CHARS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_id_is_written_as_it_prints() {
        for index in [0, 9, 10, 123_456, u32::MAX] {
            let shard = ShardId(index);
            assert_eq!(shard_id_text(shard, &mut SHARD_ID_ROOM.clone()), shard.to_string());
        }
    }
}
