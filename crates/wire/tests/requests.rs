//! Bodies as clients and strangers send them.

#![allow(clippy::unwrap_used, reason = "a test that meets an error should fail")]

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value, json};
use wire::ops::{CreateStream, GetShardIterator, ListShards, PutRecord, PutRecords};
use wire::shape::{ShardFilterType, ShardIteratorType, StreamMode};
use wire::{AwsError, Blob, Call, Input, Operation, Protocol, Request, decode};

fn json<'a, T: Input<'a>>(body: &'a str) -> Result<T, AwsError> {
    decode(Protocol::Json, body.as_bytes())
}

fn refusal<'a, T: Input<'a> + std::fmt::Debug>(body: &'a str) -> (&'static str, Option<String>) {
    let error = json::<T>(body).unwrap_err();
    assert_eq!(error.status(), 400);
    (error.code(), error.message().map(str::to_owned))
}

fn decode_all(body: &[u8]) {
    for &operation in Operation::ALL {
        let _ = Request::decode(Call { operation, protocol: Protocol::Json }, body);
    }
}

/// JSON of any shape, with the member names of requests now and then.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec!["Records", "Data", "PartitionKey", "StreamName", "Tags", "ShardFilter", "Timestamp"])
            .prop_map(str::to_owned),
        ".{0,4}",
    ];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn entry() -> impl Strategy<Value = (String, Vec<u8>, Option<u128>)> {
    (any::<[char; 3]>().prop_map(String::from_iter), prop::collection::vec(any::<u8>(), 0..90), any::<Option<u128>>())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_all(&body);
    }

    #[test]
    fn arbitrary_json_never_panics(value in any_json()) {
        decode_all(&serde_json::to_vec(&value).unwrap());
    }

    #[test]
    fn a_truncated_body_is_a_serialization_error(cut in 0..100_usize) {
        let body = r#"{"StreamName":"s","Records":[{"PartitionKey":"k","Data":"AAAA"},{"PartitionKey":"\u00e9","Data":""}]}"#;
        prop_assert!(json::<PutRecords<'_>>(body).is_ok() && cut < body.len());
        prop_assert_eq!(refusal::<PutRecords<'_>>(&body[..cut]), ("SerializationException", None));
    }

    #[test]
    fn the_entries_of_put_records_arrive_as_they_were_sent(entries in prop::collection::vec(entry(), 1..40)) {
        let records: Vec<_> = entries.iter().map(|(key, data, hash_key)| json!({
            "Data": base64_simd::STANDARD.encode_to_string(data),
            "PartitionKey": key,
            "ExplicitHashKey": hash_key.map(|key| key.to_string()),
        })).collect();
        let body = json!({"StreamName": "s", "Records": records}).to_string();
        let request: PutRecords<'_> = json(&body).unwrap();
        prop_assert_eq!(request.stream().name, Some("s"));
        prop_assert_eq!(request.records.len(), entries.len());
        for (record, (key, data, hash_key)) in request.records.iter().zip(&entries) {
            let mut decoded = vec![0; record.data.decoded_len()];
            prop_assert_eq!(record.data.decode_into(&mut decoded), Ok(()));
            prop_assert_eq!(&decoded, data);
            prop_assert_eq!(&**record.partition_key, key);
            let expected = hash_key.map(|key| key.to_string());
            prop_assert_eq!(record.explicit_hash_key.as_deref(), expected.as_deref());
            prop_assert_eq!(record.size_bytes(), data.len() + key.len());
        }
    }
}

#[test]
fn a_put_borrows_its_keys_and_data_from_the_body() {
    let body = r#"{"Records":[{"PartitionKey":"tail","Data":"AAAA","ExplicitHashKey":"7"}],"StreamName":"s"}"#;
    let request: PutRecords<'_> = json(body).unwrap();
    let entry = &request.records[0];
    assert!(matches!(*entry.data, Blob::Base64(Cow::Borrowed("AAAA"))));
    assert!(matches!(*entry.partition_key, Cow::Borrowed("tail")));
    assert!(matches!(entry.explicit_hash_key, Some(Cow::Borrowed("7"))));
}

#[test]
fn what_is_no_json_object_gets_no_message() {
    let deep = "[".repeat(100_000);
    let nested = format!(r#"{{"Excess":{deep}"#);
    for body in
        ["", " ", "hello", "null", "23", "\"x\"", "true", "{", "{}x", "{\"StreamName\":\"\u{1}\"}", "{,}", &nested]
    {
        assert_eq!(refusal::<PutRecord<'_>>(body), ("SerializationException", None), "{body:.40}");
    }
    let message = Some("Start of list found where not expected".to_owned());
    assert_eq!(refusal::<PutRecord<'_>>("[]"), ("SerializationException", message));
}

#[test]
fn invalid_utf8_and_lone_surrogates_are_serialization_errors() {
    for body in [&b"{\"StreamName\":\"\xff\"}"[..], b"{\"StreamName\":\"\\ud800\"}"] {
        let error = decode::<PutRecord<'_>>(Protocol::Json, body).unwrap_err();
        assert_eq!((error.code(), error.message()), ("SerializationException", None));
    }
}

#[test]
fn data_of_an_impossible_length_is_refused_while_decoding_and_bad_characters_when_the_data_is_decoded() {
    let message = "STRING_VALUE can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes \
                   but found: 5";
    assert_eq!(
        refusal::<PutRecord<'_>>(r#"{"Data":"23456","PartitionKey":"k"}"#),
        ("SerializationException", Some(message.to_owned()))
    );
    let request: PutRecord<'_> = json(r#"{"Data":"A-_A","PartitionKey":"k"}"#).unwrap();
    let error = AwsError::from(request.data.decode_into(&mut [0; 3]).unwrap_err());
    assert_eq!(error.code(), "SerializationException");
}

#[test]
fn an_empty_put_names_both_missing_members() {
    assert_eq!(
        refusal::<PutRecord<'_>>("{}"),
        (
            "ValidationException",
            Some(
                "2 validation errors detected: Value null at 'data' failed to satisfy constraint: Member must not be null; \
                 Value null at 'partitionKey' failed to satisfy constraint: Member must not be null"
                    .to_owned()
            )
        )
    );
}

#[test]
fn five_hundred_and_one_empty_records_give_the_ten_errors_that_aws_gives() {
    let records = vec![json!({"PartitionKey": "", "Data": ""}); 501];
    let body = json!({"StreamName": "", "Records": records}).to_string();
    let (code, message) = refusal::<PutRecords<'_>>(&body);
    let message = message.unwrap();
    assert_eq!(code, "ValidationException");
    assert!(message.starts_with("10 validation errors detected: Value at 'records' failed to satisfy constraint: Member must have length less than or equal to 500; Value '' at 'records.1.member.partitionKey' failed"));
    assert!(message.contains("records.9.member") && !message.contains("records.10.member"));
}

#[test]
fn null_records_count_as_records_without_members() {
    let (_, message) = refusal::<PutRecords<'_>>(r#"{"StreamName":"s","Records":[null]}"#);
    assert!(message.unwrap().starts_with(
        "2 validation errors detected: Value null at 'records.1.member.partitionKey' failed to satisfy constraint: Member \
         must not be null; Value null at 'records.1.member.data'"
    ));
}

#[test]
fn a_million_tiny_records_are_refused_without_being_kept() {
    let body = format!(r#"{{"Records":[{}{{}}]}}"#, "{},".repeat(1_000_000));
    let (code, message) = refusal::<PutRecords<'_>>(&body);
    assert_eq!(code, "ValidationException");
    assert!(message.unwrap().contains("Member must have length less than or equal to 500"));
    let broken = format!(r#"{{"Records":[{}{{]}}"#, "{},".repeat(1_000));
    assert_eq!(refusal::<PutRecords<'_>>(&broken), ("SerializationException", None));
}

#[test]
fn times_are_seconds_with_a_fraction_and_become_milliseconds() {
    for (text, ms) in [
        ("1700000000.123", 1_700_000_000_123),
        ("1700000000", 1_700_000_000_000),
        ("-1.5", -1500),
        ("1.7e9", 1_700_000_000_000),
        ("1e300", i64::MAX),
    ] {
        let body = format!(
            r#"{{"StreamName":"s","ShardId":"shardId-000000000000","ShardIteratorType":"AT_TIMESTAMP","Timestamp":{text}}}"#
        );
        let request: GetShardIterator<'_> = json(&body).unwrap();
        assert_eq!(request.timestamp_ms, Some(ms), "{text}");
        assert_eq!(request.iterator_type(), Some(ShardIteratorType::AtTimestamp));
    }
}

#[test]
fn a_stream_is_on_demand_exactly_if_asked_for_or_without_a_shard_count() {
    for (body, mode) in [
        (r#"{"StreamName":"s"}"#, StreamMode::OnDemand),
        (r#"{"StreamName":"s","ShardCount":3}"#, StreamMode::Provisioned),
        (r#"{"StreamName":"s","StreamModeDetails":{"StreamMode":"ON_DEMAND"}}"#, StreamMode::OnDemand),
        (r#"{"StreamName":"s","StreamModeDetails":{"StreamMode":"PROVISIONED"}}"#, StreamMode::Provisioned),
    ] {
        assert_eq!(json::<CreateStream<'_>>(body).unwrap().stream_mode(), mode, "{body}");
    }
}

#[test]
fn a_shard_filter_is_read_with_its_members() {
    let body = r#"{"StreamARN":"arn:aws:kinesis:us-east-1:123456789012:stream/s",
        "ShardFilter":{"Type":"FROM_TIMESTAMP","Timestamp":1.5,"ShardId":"shardId-000000000001"}}"#;
    let request: ListShards<'_> = json(body).unwrap();
    let filter = request.shard_filter.as_ref().unwrap();
    assert_eq!(filter.filter_type(), Some(ShardFilterType::FromTimestamp));
    assert_eq!((filter.timestamp_ms, filter.shard_id.as_deref()), (Some(1500), Some("shardId-000000000001")));
    assert_eq!(request.stream().arn, Some("arn:aws:kinesis:us-east-1:123456789012:stream/s"));
    let (code, message) = refusal::<ListShards<'_>>(r#"{"ShardFilter":{}}"#);
    assert_eq!(code, "ValidationException");
    assert!(message.unwrap().contains("Value null at 'shardFilter.type'"));
}
