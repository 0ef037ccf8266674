//! ListShards

use router::{ListShards as Listing, ShardFilter};
use wire::ops::{ListShards, ListShardsReply};
use wire::shape::ShardFilterType;
use wire::{AwsError, Protocol};

use crate::Api;
use crate::dispatch::Outcome;
use crate::respond::body;
use crate::shapes::{limit, shard_shape, stream_ref};

pub(crate) fn list_shards(api: &Api, protocol: Protocol, request: &ListShards<'_>) -> Outcome {
    let listing = match request.next_token.as_deref() {
        Some(token) => next(request, token)?,
        None => first(request)?,
    };
    let page = api.router().list_shards(listing, limit(request.max_results)).map_err(|error| api.refuse(error))?;
    let shards = page.shards.iter().map(shard_shape).collect();
    Ok(body(protocol, &ListShardsReply { shards, next_token: page.next_token.map(Into::into) }))
}

fn first<'r>(request: &'r ListShards<'_>) -> Result<Listing<'r>, AwsError> {
    let stream = stream_ref(request.stream());
    if stream.is_empty() {
        return Err(AwsError::list_shards_needs_stream());
    }
    Ok(Listing::First {
        stream,
        created_ms: request.stream_creation_timestamp_ms,
        exclusive_start: request.exclusive_start_shard_id.as_deref(),
        filter: filter(request)?,
    })
}

/// A token stands for everything but the size of the page.
fn next<'r>(request: &'r ListShards<'_>, token: &'r str) -> Result<Listing<'r>, AwsError> {
    let beside = [
        ("StreamName", request.stream_name.is_some()),
        ("StreamARN", request.stream_arn.is_some()),
        ("StreamId", request.stream_id.is_some()),
        ("StreamCreationTimestamp", request.stream_creation_timestamp_ms.is_some()),
        ("ExclusiveStartShardId", request.exclusive_start_shard_id.is_some()),
        ("ShardFilter", request.shard_filter.is_some()),
    ];
    match beside.iter().find(|(_, is_present)| *is_present) {
        Some((member, _)) => Err(AwsError::next_token_with(member)),
        None => Ok(Listing::Next { token }),
    }
}

fn filter<'r>(request: &'r ListShards<'_>) -> Result<Option<ShardFilter<'r>>, AwsError> {
    let Some(filter) = &request.shard_filter else { return Ok(None) };
    // Validation has refused what is no type.
    let kind = filter.filter_type().ok_or_else(AwsError::internal_failure)?;
    let needs = |member| AwsError::shard_filter_needs(member, kind.name());
    let time = || filter.timestamp_ms.ok_or_else(|| needs("Timestamp"));
    Ok(Some(match kind {
        ShardFilterType::AfterShardId => {
            ShardFilter::AfterShardId(filter.shard_id.as_deref().ok_or_else(|| needs("ShardId"))?)
        }
        ShardFilterType::AtTrimHorizon => ShardFilter::AtTrimHorizon,
        ShardFilterType::FromTrimHorizon => ShardFilter::FromTrimHorizon,
        ShardFilterType::AtLatest => ShardFilter::AtLatest,
        ShardFilterType::AtTimestamp => ShardFilter::AtTimestamp(time()?),
        ShardFilterType::FromTimestamp => ShardFilter::FromTimestamp(time()?),
    }))
}
