//! GetShardIterator

use router::IteratorType;
use wire::ops::{GetShardIterator, GetShardIteratorReply};
use wire::shape::ShardIteratorType;
use wire::{AwsError, Protocol};

use crate::Api;
use crate::dispatch::Outcome;
use crate::respond::body;
use crate::shapes::stream_ref;

pub(crate) async fn get_shard_iterator(api: &Api, protocol: Protocol, request: GetShardIterator<'_>) -> Outcome {
    // Validation has refused what is no type.
    let kind = iterator_type(request.iterator_type().ok_or_else(AwsError::internal_failure)?);
    let (stream, start) = (stream_ref(request.stream()), request.starting_sequence_number.as_deref());
    let iterator = api.router().shard_iterator(stream, &request.shard_id, kind, start, request.timestamp_ms).await;
    let iterator = iterator.map_err(|error| api.refuse(error))?;
    Ok(body(protocol, &GetShardIteratorReply { shard_iterator: iterator.into() }))
}

fn iterator_type(kind: ShardIteratorType) -> IteratorType {
    match kind {
        ShardIteratorType::AtSequenceNumber => IteratorType::AtSequenceNumber,
        ShardIteratorType::AfterSequenceNumber => IteratorType::AfterSequenceNumber,
        ShardIteratorType::AtTimestamp => IteratorType::AtTimestamp,
        ShardIteratorType::TrimHorizon => IteratorType::TrimHorizon,
        ShardIteratorType::Latest => IteratorType::Latest,
    }
}
