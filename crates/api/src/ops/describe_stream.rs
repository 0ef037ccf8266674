//! DescribeStream

use wire::Protocol;
use wire::ops::{DescribeStream, DescribeStreamReply, StreamDescription};
use wire::shape::EncryptionType;

use crate::Api;
use crate::dispatch::Outcome;
use crate::respond::body;
use crate::shapes::{created, limit, mode_details, shard_shape, stream_ref, stream_status};

pub(crate) fn describe_stream(api: &Api, protocol: Protocol, request: &DescribeStream<'_>) -> Outcome {
    let start = request.exclusive_start_shard_id.as_deref();
    let found = api.router().describe_stream(stream_ref(request.stream()), start, limit(request.limit));
    let found = found.map_err(|error| api.refuse(error))?;
    let stream = &found.stream;
    let description = StreamDescription {
        stream_name: stream.name().into(),
        stream_arn: stream.arn.to_string().into(),
        stream_status: stream_status(stream.status),
        stream_mode_details: mode_details(stream),
        shards: found.shards.iter().map(shard_shape).collect(),
        has_more_shards: found.has_more_shards,
        retention_period_hours: stream.retention_hours,
        stream_creation_timestamp: created(stream),
        enhanced_monitoring: Default::default(),
        encryption_type: EncryptionType::None,
    };
    Ok(body(protocol, &DescribeStreamReply { stream_description: description }))
}
