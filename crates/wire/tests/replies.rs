//! Replies against what was recorded from the real service: which members are there and which are not.

#![allow(clippy::unwrap_used, reason = "a test that meets an error should fail")]

use proptest::prelude::*;
use serde_json::{Value, json};
use wire::ops::{DescribeStreamReply, ListShardsReply, PutRecordReply, StreamDescription};
use wire::shape::{
    ChildShard, EncryptionType, EnhancedMetrics, HashKeyRange, SequenceNumberRange, Shard, StreamMode,
    StreamModeDetails, StreamStatus,
};
use wire::{AwsError, GetRecordsEnd, GetRecordsWriter, Protocol, PutRecordsWriter, RecordView, Reply, Timestamp};

const RANGE: HashKeyRange = HashKeyRange { starting_hash_key: 0, ending_hash_key: u128::MAX };
const TIP: GetRecordsEnd<'static> =
    GetRecordsEnd { next_shard_iterator: Some("AAAA"), millis_behind_latest: 0, child_shards: &[] };

fn open_shard() -> Shard<'static> {
    Shard {
        shard_id: "shardId-000000000000".into(),
        parent_shard_id: None,
        adjacent_parent_shard_id: None,
        hash_key_range: RANGE,
        sequence_number_range: SequenceNumberRange {
            starting_sequence_number: "49".into(),
            ending_sequence_number: None,
        },
    }
}

fn written(reply: &impl Reply) -> Value {
    let mut out = Vec::new();
    reply.write_body(Protocol::Json, &mut out);
    serde_json::from_slice(&out).unwrap()
}

fn get_records(records: &[RecordView<'_>], end: &GetRecordsEnd<'_>) -> Value {
    let mut out = Vec::new();
    let mut writer = GetRecordsWriter::new(Protocol::Json, &mut out);
    records.iter().for_each(|record| writer.record(record));
    writer.finish(end);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn an_open_shard_has_neither_parents_nor_an_ending_sequence_number() {
    let shard = json!({
        "ShardId": "shardId-000000000000",
        "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "340282366920938463463374607431768211455"},
        "SequenceNumberRange": {"StartingSequenceNumber": "49"},
    });
    let reply = ListShardsReply { shards: vec![open_shard()], next_token: None };
    assert_eq!(written(&reply), json!({"Shards": [shard]}));
}

#[test]
fn a_described_stream_says_that_it_is_not_encrypted_and_names_no_key() {
    let reply = DescribeStreamReply {
        stream_description: StreamDescription {
            stream_name: "s".into(),
            stream_arn: "arn:aws:kinesis:us-east-1:111111111111:stream/s".into(),
            stream_status: StreamStatus::Active,
            stream_mode_details: StreamModeDetails { stream_mode: StreamMode::Provisioned },
            shards: vec![],
            has_more_shards: false,
            retention_period_hours: 24,
            stream_creation_timestamp: Timestamp(1_661_506_259_000),
            enhanced_monitoring: [EnhancedMetrics::default()],
            encryption_type: EncryptionType::None,
        },
    };
    let expected = json!({"StreamDescription": {
        "StreamName": "s",
        "StreamARN": "arn:aws:kinesis:us-east-1:111111111111:stream/s",
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "Shards": [],
        "HasMoreShards": false,
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": 1_661_506_259.0,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": "NONE",
    }});
    assert_eq!(written(&reply), expected);
}

#[test]
fn records_come_without_an_encryption_type_as_recorded() {
    let text = "ünicödé 统一码 💣💻🔥";
    let record =
        |number, data| RecordView { sequence_number: number, arrival_ms: 1_661_426_504_007, partition_key: "1", data };
    let expected = |number: &str, data: &str| {
        json!({
            "SequenceNumber": number,
            "ApproximateArrivalTimestamp": 1_661_426_504.007,
            "Data": data,
            "PartitionKey": "1",
        })
    };
    assert_eq!(
        get_records(&[record("1", b""), record("2", b"test"), record("3", text.as_bytes())], &TIP),
        json!({
            "Records": [
                expected("1", ""),
                expected("2", "dGVzdA=="),
                expected("3", &base64_simd::STANDARD.encode_to_string(text)),
            ],
            "NextShardIterator": "AAAA",
            "MillisBehindLatest": 0,
        })
    );
}

#[test]
fn the_end_of_a_closed_shard_has_children_and_no_iterator() {
    let child = ChildShard {
        shard_id: "shardId-000000000002".into(),
        parent_shards: vec!["shardId-000000000000".into(), "shardId-000000000001".into()],
        hash_key_range: HashKeyRange { starting_hash_key: 1, ending_hash_key: 2 },
    };
    let end = GetRecordsEnd { next_shard_iterator: None, millis_behind_latest: 5, child_shards: &[child] };
    assert_eq!(
        get_records(&[], &end),
        json!({
            "Records": [],
            "MillisBehindLatest": 5,
            "ChildShards": [{
                "ShardId": "shardId-000000000002",
                "ParentShards": ["shardId-000000000000", "shardId-000000000001"],
                "HashKeyRange": {"StartingHashKey": "1", "EndingHashKey": "2"},
            }],
        })
    );
}

#[test]
fn put_records_counts_its_failures_and_tells_them_per_record() {
    let mut out = Vec::new();
    let mut writer = PutRecordsWriter::new(Protocol::Json, &mut out);
    writer.stored("49543463076548007577105092703039560359975228518395019266", "shardId-000000000000");
    writer.failed(&AwsError::write_rate_exceeded("shardId-000000000001", "exampleStreamName", "111111111111"));
    writer.failed(&AwsError::internal_failure_of_record());
    writer.finish();
    assert_eq!(
        serde_json::from_slice::<Value>(&out).unwrap(),
        json!({
            "FailedRecordCount": 2,
            "Records": [
                {
                    "SequenceNumber": "49543463076548007577105092703039560359975228518395019266",
                    "ShardId": "shardId-000000000000",
                },
                {
                    "ErrorCode": "ProvisionedThroughputExceededException",
                    "ErrorMessage": "Rate exceeded for shard shardId-000000000001 in stream exampleStreamName under \
                                     account 111111111111.",
                },
                {"ErrorCode": "InternalFailure", "ErrorMessage": "Internal service failure."},
            ],
        })
    );
}

#[test]
fn a_put_record_has_no_encryption_type() {
    let reply = PutRecordReply { shard_id: "shardId-000000000000".into(), sequence_number: "49".into() };
    assert_eq!(written(&reply), json!({"ShardId": "shardId-000000000000", "SequenceNumber": "49"}));
}

proptest! {
    #[test]
    fn any_records_read_back_as_they_were(
        records in prop::collection::vec((any::<String>(), prop::collection::vec(any::<u8>(), 0..100), 0..1_u64 << 45), 0..8)
    ) {
        let views: Vec<_> = records
            .iter()
            .map(|(partition_key, data, arrival_ms)| RecordView { sequence_number: "49", arrival_ms: *arrival_ms, partition_key, data })
            .collect();
        let reply = get_records(&views, &TIP);
        let read = reply["Records"].as_array().unwrap();
        prop_assert_eq!(read.len(), records.len());
        for (read, (partition_key, data, arrival_ms)) in read.iter().zip(&records) {
            prop_assert_eq!(read["PartitionKey"].as_str(), Some(partition_key.as_str()));
            let read_data = base64_simd::STANDARD.decode_to_vec(read["Data"].as_str().unwrap()).unwrap();
            prop_assert_eq!(&read_data, data);
            let seconds = read["ApproximateArrivalTimestamp"].as_f64().unwrap();
            prop_assert_eq!((seconds * 1000.0).round() as u64, *arrival_ms);
        }
    }

    #[test]
    fn a_record_takes_no_more_room_than_was_reserved(
        partition_key in "[a-z]{1,256}", data in prop::collection::vec(any::<u8>(), 0..3000)
    ) {
        let mut out = Vec::new();
        let mut writer = GetRecordsWriter::new(Protocol::Json, &mut out);
        let view = RecordView {
            sequence_number: &"9".repeat(56), arrival_ms: u64::MAX, partition_key: &partition_key, data: &data,
        };
        writer.record(&view);
        writer.record(&view);
        prop_assert!(out.len() <= 12 + 2 * GetRecordsWriter::record_bytes(partition_key.len(), data.len()));
    }
}
