//! DescribeStreamSummary

use wire::Protocol;
use wire::ops::{DescribeStreamSummary, DescribeStreamSummaryReply, StreamDescriptionSummary};
use wire::shape::EncryptionType;

use crate::Api;
use crate::dispatch::Outcome;
use crate::respond::body;
use crate::shapes::{created, mode_details, stream_ref, stream_status};

pub(crate) fn describe_stream_summary(api: &Api, protocol: Protocol, request: &DescribeStreamSummary<'_>) -> Outcome {
    let stream = api.router().describe_stream_summary(stream_ref(request.stream()));
    let stream = stream.map_err(|error| api.refuse(error))?;
    let summary = StreamDescriptionSummary {
        stream_name: stream.name().into(),
        stream_arn: stream.arn.to_string().into(),
        stream_id: None,
        stream_status: stream_status(stream.status),
        stream_mode_details: mode_details(&stream),
        retention_period_hours: stream.retention_hours,
        stream_creation_timestamp: created(&stream),
        enhanced_monitoring: Default::default(),
        encryption_type: EncryptionType::None,
        open_shard_count: stream.open_shards,
        consumer_count: 0,
        warm_throughput: None,
        max_record_size_in_kib: stream.max_record_kib,
    };
    Ok(body(protocol, &DescribeStreamSummaryReply { stream_description_summary: summary }))
}
