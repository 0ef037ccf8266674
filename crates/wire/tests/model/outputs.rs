//! Every reply against the service model: what the model requires is there, nothing is there that the model does not know,
//! and every value has the type and the constraints of its shape.

use std::collections::BTreeSet;

use crate::shapes::{Model, Shape};
use serde_json::Value;
use wire::ops::{
    DescribeLimitsReply, DescribeStreamReply, DescribeStreamSummaryReply, GetShardIteratorReply, ListShardsReply,
    ListStreamsReply, PutRecordReply, StreamDescription, StreamDescriptionSummary, StreamSummary, WarmThroughput,
};
use wire::shape::{
    ChildShard, EncryptionType, EnhancedMetrics, HashKeyRange, SequenceNumberRange, Shard, StreamMode,
    StreamModeDetails, StreamStatus,
};
use wire::{AwsError, GetRecordsEnd, GetRecordsWriter, Protocol, PutRecordsWriter, RecordView, Reply, Timestamp};

/// Members that are never sent, because Thalweg does not encrypt with keys of KMS.
const NEVER_SENT: [&str; 4] =
    ["StreamDescription.KeyId", "StreamDescriptionSummary.KeyId", ".EncryptionType", "Records.EncryptionType"];

const ARN: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/s";
const MODE: StreamModeDetails = StreamModeDetails { stream_mode: StreamMode::OnDemand };
const RANGE: HashKeyRange = HashKeyRange { starting_hash_key: 0, ending_hash_key: u128::MAX };

fn shard() -> Shard<'static> {
    Shard {
        shard_id: "shardId-000000000002".into(),
        parent_shard_id: Some("shardId-000000000000".into()),
        adjacent_parent_shard_id: Some("shardId-000000000001".into()),
        hash_key_range: RANGE,
        sequence_number_range: SequenceNumberRange {
            starting_sequence_number: "49".into(),
            ending_sequence_number: Some("50".into()),
        },
    }
}

fn written(reply: &impl Reply) -> Value {
    let mut out = Vec::new();
    reply.write_body(Protocol::Json, &mut out);
    serde_json::from_slice(&out).unwrap()
}

fn describe_stream() -> Value {
    written(&DescribeStreamReply {
        stream_description: StreamDescription {
            stream_name: "s".into(),
            stream_arn: ARN.into(),
            stream_status: StreamStatus::Active,
            stream_mode_details: MODE,
            shards: vec![shard()],
            has_more_shards: false,
            retention_period_hours: 24,
            stream_creation_timestamp: Timestamp(1_700_000_000_123),
            enhanced_monitoring: [EnhancedMetrics { shard_level_metrics: vec!["ALL".into()] }],
            encryption_type: EncryptionType::None,
        },
    })
}

fn describe_stream_summary() -> Value {
    written(&DescribeStreamSummaryReply {
        stream_description_summary: StreamDescriptionSummary {
            stream_name: "s".into(),
            stream_arn: ARN.into(),
            stream_id: Some("abcdefghij0123456789-abc".into()),
            stream_status: StreamStatus::Active,
            stream_mode_details: MODE,
            retention_period_hours: 24,
            stream_creation_timestamp: Timestamp(1_700_000_000_123),
            enhanced_monitoring: [EnhancedMetrics { shard_level_metrics: vec!["ALL".into()] }],
            encryption_type: EncryptionType::None,
            open_shard_count: 4,
            consumer_count: 0,
            warm_throughput: Some(WarmThroughput { target_mibps: 4, current_mibps: 4 }),
            max_record_size_in_kib: 1024,
        },
    })
}

fn list_streams() -> Value {
    written(&ListStreamsReply {
        stream_names: vec!["s".into()],
        has_more_streams: true,
        next_token: Some("t".into()),
        stream_summaries: vec![StreamSummary {
            stream_name: "s".into(),
            stream_arn: ARN.into(),
            stream_status: StreamStatus::Creating,
            stream_mode_details: MODE,
            stream_creation_timestamp: Timestamp(1_700_000_000_000),
        }],
    })
}

fn get_records() -> Value {
    let mut out = Vec::new();
    let mut writer = GetRecordsWriter::new(Protocol::Json, &mut out);
    for partition_key in ["k", "\"\\\n\u{1f4a3}"] {
        writer.record(&RecordView {
            sequence_number: "49",
            arrival_ms: 1_700_000_000_123,
            partition_key,
            data: b"data",
        });
    }
    let child = ChildShard {
        shard_id: "shardId-000000000001".into(),
        parent_shards: vec!["shardId-000000000000".into()],
        hash_key_range: RANGE,
    };
    let end = GetRecordsEnd { next_shard_iterator: Some("i"), millis_behind_latest: 7, child_shards: &[child] };
    writer.finish(&end);
    serde_json::from_slice(&out).unwrap()
}

fn put_records() -> Value {
    let mut out = Vec::new();
    let mut writer = PutRecordsWriter::new(Protocol::Json, &mut out);
    writer.stored("49", "shardId-000000000000");
    writer.failed(&AwsError::internal_failure_of_record());
    writer.finish();
    serde_json::from_slice(&out).unwrap()
}

fn sample(operation: &str) -> Value {
    match operation {
        "DescribeLimits" => written(&DescribeLimitsReply {
            shard_limit: 20,
            open_shard_count: 4,
            on_demand_stream_count: 1,
            on_demand_stream_count_limit: 50,
        }),
        "DescribeStream" => describe_stream(),
        "DescribeStreamSummary" => describe_stream_summary(),
        "GetRecords" => get_records(),
        "GetShardIterator" => written(&GetShardIteratorReply { shard_iterator: "i".into() }),
        "ListShards" => written(&ListShardsReply { shards: vec![shard()], next_token: Some("t".into()) }),
        "ListStreams" => list_streams(),
        "PutRecord" => {
            written(&PutRecordReply { shard_id: "shardId-000000000000".into(), sequence_number: "49".into() })
        }
        "PutRecords" => put_records(),
        other => panic!("no sample reply for {other}"),
    }
}

/// Checks a value and collects the members that were seen, as `Structure.Member` by the member that holds the structure.
fn check(shape: Shape<'_>, value: &Value, at: &str, seen: &mut BTreeSet<String>) {
    match shape.kind() {
        "structure" => {
            let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
            for (name, inner) in shape.members() {
                let Some(value) = object.get(name) else {
                    assert!(!shape.requires(name), "{at} lacks {name}");
                    continue;
                };
                seen.insert(format!("{at}.{name}"));
                check(inner, value, name, seen);
            }
            for name in object.keys() {
                assert!(shape.members().any(|(known, _)| known == name), "{at} has unknown {name}");
            }
        }
        "list" => {
            let list = value.as_array().unwrap_or_else(|| panic!("{at}: {value}"));
            list.iter().for_each(|element| check(shape.member(), element, at, seen));
        }
        "string" => check_text(shape, value.as_str().unwrap_or_else(|| panic!("{at}: {value}")), at),
        "blob" => assert_eq!(value, "ZGF0YQ==", "{at}"),
        "integer" | "long" => assert!(value.is_u64(), "{at}: {value}"),
        "timestamp" => assert!(value.is_f64(), "{at}: {value}"),
        "boolean" => assert!(value.is_boolean(), "{at}: {value}"),
        other => panic!("{at}: {other}"),
    }
}

fn check_text(shape: Shape<'_>, text: &str, at: &str) {
    assert!(shape.regex().is_none_or(|regex| regex.is_match(text)), "{at}: {text}");
    assert!(shape.values().is_empty() || shape.values().contains(&text), "{at}: {text}");
}

fn members(shape: Shape<'_>, at: &str, found: &mut BTreeSet<String>) {
    match shape.kind() {
        "structure" => {
            for (name, inner) in shape.members() {
                found.insert(format!("{at}.{name}"));
                members(inner, name, found);
            }
        }
        "list" => members(shape.member(), at, found),
        _ => {}
    }
}

#[test]
fn every_reply_has_every_member_of_the_model_that_is_meant_to_be_sent() {
    let model = Model::load();
    for (operation, _, output) in model.served() {
        let Some(output) = output else { continue };
        let (mut seen, mut known) = (BTreeSet::new(), BTreeSet::new());
        check(model.shape(output), &sample(operation), "", &mut seen);
        members(model.shape(output), "", &mut known);
        let missing: Vec<_> = known.difference(&seen).filter(|name| !NEVER_SENT.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "{operation} never sends {missing:?}");
    }
}
