//! What clients get wrong: each gets the error AWS gives, and the node goes on.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use server::LimitsMode;
use support::{Node, base64, error_of, run, shard_id};

fn put(record: Value) -> Value {
    json!({ "StreamName": "s", "Records": [record] })
}

fn record() -> Value {
    json!({ "Data": base64(b"x"), "PartitionKey": "k" })
}

fn iterator(more: Value) -> Value {
    let mut request = json!({ "StreamName": "s", "ShardId": shard_id(0), "ShardIteratorType": "TRIM_HORIZON" });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[test]
fn each_mistake_in_a_request_gets_the_error_that_aws_gives_for_it() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 1).await;
        let other = "arn:aws:kinesis:us-east-1:000000000000:stream/other";
        let big = base64(&vec![0; (1 << 20) + 1]);
        let half = json!({ "Data": base64(&vec![0; 600 << 10]), "PartitionKey": "k" });
        let cases = [
            ("PutRecords", json!({ "StreamName": "s", "Records": [] }), "ValidationException"),
            ("PutRecords", json!({ "StreamName": "s", "Records": vec![record(); 501] }), "ValidationException"),
            ("PutRecords", json!({ "StreamName": "s" }), "ValidationException"),
            ("PutRecords", json!({ "Records": [record()] }), "InvalidArgumentException"),
            ("PutRecords", json!({ "StreamName": "missing", "Records": [record()] }), "ResourceNotFoundException"),
            (
                "PutRecords",
                json!({ "StreamName": "s", "StreamARN": other, "Records": [record()] }),
                "InvalidArgumentException",
            ),
            ("PutRecords", json!({ "StreamName": "s", "Records": vec![half; 18] }), "InvalidArgumentException"),
            ("PutRecords", put(json!({ "Data": "no base64!", "PartitionKey": "k" })), "SerializationException"),
            ("PutRecords", put(json!({ "Data": 7, "PartitionKey": "k" })), "SerializationException"),
            ("PutRecords", put(json!({ "Data": big, "PartitionKey": "k" })), "ValidationException"),
            ("PutRecords", put(json!({ "Data": base64(b"x"), "PartitionKey": "" })), "ValidationException"),
            (
                "PutRecords",
                put(json!({ "Data": base64(b"x"), "PartitionKey": "k".repeat(257) })),
                "ValidationException",
            ),
            (
                "PutRecords",
                put(
                    json!({ "Data": "", "PartitionKey": "k", "ExplicitHashKey": "340282366920938463463374607431768211456" }),
                ),
                "InvalidArgumentException",
            ),
            ("PutRecord", json!({ "StreamName": "s", "Data": big, "PartitionKey": "k" }), "ValidationException"),
            ("PutRecord", json!({ "StreamName": "s s", "Data": "", "PartitionKey": "k" }), "ValidationException"),
            ("GetShardIterator", iterator(json!({ "ShardId": shard_id(9) })), "ResourceNotFoundException"),
            ("GetShardIterator", iterator(json!({ "ShardId": "first" })), "ResourceNotFoundException"),
            ("GetShardIterator", iterator(json!({ "ShardIteratorType": "NEWEST" })), "ValidationException"),
            (
                "GetShardIterator",
                iterator(json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER" })),
                "InvalidArgumentException",
            ),
            ("GetShardIterator", iterator(json!({ "ShardIteratorType": "AT_TIMESTAMP" })), "InvalidArgumentException"),
            ("GetRecords", json!({ "ShardIterator": "forged" }), "InvalidArgumentException"),
            ("GetRecords", json!({ "ShardIterator": "forged", "Limit": 10_001 }), "ValidationException"),
            ("ListShards", json!({}), "InvalidArgumentException"),
            ("ListShards", json!({ "NextToken": "forged" }), "InvalidArgumentException"),
            ("ListShards", json!({ "NextToken": "forged", "StreamName": "s" }), "InvalidArgumentException"),
            ("CreateStream", json!({ "StreamName": "t", "ShardCount": 0 }), "ValidationException"),
            ("CreateStream", json!({ "StreamName": "t", "ShardCount": "1" }), "SerializationException"),
            ("DeleteStream", json!({ "StreamName": "missing" }), "ResourceNotFoundException"),
            ("SplitShard", json!({ "StreamName": "s" }), "UnknownOperationException"),
            ("Nothing", json!({}), "UnknownOperationException"),
        ];
        for (operation, request, expected) in cases {
            let (status, reply) = node.call(operation, request.clone()).await;
            let shown: String = request.to_string().chars().take(200).collect();
            assert_eq!((status, error_of(&reply).0.as_str()), (400, expected), "{operation} {shown}: {reply}");
        }
        assert_eq!(node.read_all("s", 0).await.len(), 0, "a refused put stored something");
        node.ok("PutRecords", json!({ "StreamName": "s", "Unknown": [1], "Records": [record()] })).await;
        node.server.shutdown().await;
    });
}

#[test]
fn bytes_that_are_no_request_are_refused_and_the_node_goes_on() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 1).await;
        for body in ["", "{", "[]", "null", "\"x\"", "{\"StreamName\":\"s\"", "{\"StreamName\":\"s\"}x", "\u{0}"] {
            let (status, reply) = node.raw("PutRecords", body).await;
            assert_eq!((status, error_of(&reply).0.as_str()), (400, "SerializationException"), "{body}: {reply}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(node.raw("ListStreams", deep).await.0, 400);
        assert_eq!(node.raw("PutRecords", vec![b'x'; 16 << 20]).await, (413, Value::Null));

        let get = Request::get("/").header("host", "thalweg").body(Full::new(Bytes::new())).unwrap();
        assert_eq!(node.send(node.server.api_addr(), get).await.0, 403);
        let cbor = Request::post("/")
            .header("host", "thalweg")
            .header("content-type", "application/x-amz-cbor-1.1")
            .header("x-amz-target", "Kinesis_20131202.ListStreams")
            .body(Full::new(Bytes::new()))
            .unwrap();
        assert_eq!(node.send(node.server.api_addr(), cbor).await.0, 400);
        node.ok("PutRecords", put(record())).await;
        node.server.shutdown().await;
    });
}

#[test]
fn an_iterator_of_a_deleted_stream_does_not_read_the_next_one_of_its_name() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 1).await;
        let old = node.iterator("s", 0, json!({ "ShardIteratorType": "TRIM_HORIZON" })).await;
        node.ok("DeleteStream", json!({ "StreamName": "s" })).await;
        while node.call("DescribeStreamSummary", json!({ "StreamName": "s" })).await.0 == 200 {}
        node.create("s", 1).await;
        node.ok("PutRecords", put(record())).await;
        assert_eq!(node.error("GetRecords", json!({ "ShardIterator": old })).await.0, "ResourceNotFoundException");
        node.server.shutdown().await;
    });
}
