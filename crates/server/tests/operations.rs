//! The operations, over HTTP, against a whole node.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use server::LimitsMode;
use support::{Node, base64, run, shard_id};

#[test]
fn a_stream_lives_from_creating_to_gone() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Aws).await;
        assert_eq!(node.call("CreateStream", json!({ "StreamName": "a", "ShardCount": 3 })).await, (200, Value::Null));
        node.wait("a", "ACTIVE").await;
        node.ok("CreateStream", json!({ "StreamName": "b" })).await;
        node.wait("b", "ACTIVE").await;
        let (kind, message) = node.error("CreateStream", json!({ "StreamName": "a", "ShardCount": 3 })).await;
        assert_eq!(kind, "ResourceInUseException");
        assert_eq!(message, "Stream a under account 000000000000 already exists.");

        let described = node.ok("DescribeStream", json!({ "StreamName": "a", "Limit": 2 })).await;
        let described = &described["StreamDescription"];
        assert_eq!(described["StreamARN"], "arn:aws:kinesis:us-east-1:000000000000:stream/a");
        assert_eq!(described["StreamModeDetails"]["StreamMode"], "PROVISIONED");
        assert_eq!(described["RetentionPeriodHours"], 24);
        assert_eq!(described["HasMoreShards"], true);
        assert_eq!(described["Shards"].as_array().unwrap().len(), 2);
        let summary = node.ok("DescribeStreamSummary", json!({ "StreamARN": described["StreamARN"] })).await;
        assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], 3);
        let summary = node.ok("DescribeStreamSummary", json!({ "StreamName": "b" })).await;
        assert_eq!(summary["StreamDescriptionSummary"]["StreamModeDetails"]["StreamMode"], "ON_DEMAND");
        assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], 4);

        let first = node.ok("ListStreams", json!({ "Limit": 1 })).await;
        assert_eq!((&first["StreamNames"], &first["HasMoreStreams"]), (&json!(["a"]), &json!(true)));
        let second = node.ok("ListStreams", json!({ "NextToken": first["NextToken"] })).await;
        assert_eq!((&second["StreamNames"], &second["HasMoreStreams"]), (&json!(["b"]), &json!(false)));
        let limits = node.ok("DescribeLimits", json!({})).await;
        assert_eq!((&limits["OpenShardCount"], &limits["OnDemandStreamCount"]), (&json!(3), &json!(1)));

        assert_eq!(node.call("DeleteStream", json!({ "StreamName": "a" })).await, (200, Value::Null));
        while node.call("DescribeStreamSummary", json!({ "StreamName": "a" })).await.0 == 200 {}
        let (kind, message) = node.error("DescribeStream", json!({ "StreamName": "a" })).await;
        assert_eq!(
            (kind.as_str(), message.as_str()),
            ("ResourceNotFoundException", "Stream a under account 000000000000 not found.")
        );
        node.server.shutdown().await;
    });
}

#[test]
fn shards_are_listed_in_pages_that_tile_the_key_space() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Aws).await;
        node.create("s", 5).await;
        let mut request = json!({ "StreamName": "s", "MaxResults": 2, "ShardFilter": { "Type": "AT_TRIM_HORIZON" } });
        let mut shards = Vec::new();
        loop {
            let page = node.ok("ListShards", request).await;
            shards.extend(page["Shards"].as_array().unwrap().clone());
            let Some(token) = page["NextToken"].as_str() else { break };
            request = json!({ "NextToken": token, "MaxResults": 2 });
        }
        let key = |shard: &Value, end: &str| shard["HashKeyRange"][end].as_str().unwrap().parse::<u128>().unwrap();
        assert_eq!(shards.len(), 5);
        assert_eq!(key(&shards[0], "StartingHashKey"), 0);
        for pair in shards.windows(2) {
            assert_eq!(key(&pair[0], "EndingHashKey") + 1, key(&pair[1], "StartingHashKey"));
        }
        assert_eq!(key(&shards[4], "EndingHashKey"), u128::MAX);
        let after = json!({ "StreamName": "s", "ShardFilter": { "Type": "AFTER_SHARD_ID", "ShardId": shard_id(3) } });
        assert_eq!(node.ok("ListShards", after).await["Shards"][0]["ShardId"], shard_id(4));
        node.server.shutdown().await;
    });
}

#[test]
fn records_come_back_as_they_were_put_from_each_kind_of_iterator() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 2).await;
        let keys = ["0", "340282366920938463463374607431768211455"];
        let record = |index: usize| {
            json!({ "Data": base64(&[index as u8; 300][..index]), "PartitionKey": format!("key \"{index}\" \u{1f30a}"),
                    "ExplicitHashKey": keys[index % 2] })
        };
        let put = node
            .ok("PutRecords", json!({ "StreamName": "s", "Records": (0..200).map(record).collect::<Vec<_>>() }))
            .await;
        assert_eq!(put["FailedRecordCount"], 0);
        let single = json!({ "StreamName": "s", "Data": base64(b"last"), "PartitionKey": "k", "ExplicitHashKey": "0" });
        let last = node.ok("PutRecord", single).await;
        assert_eq!(last["ShardId"], shard_id(0));

        for shard in 0..2 {
            let read = node.read_all("s", shard).await;
            assert_eq!(read.len(), 100 + usize::from(shard == 0));
            for (place, found) in read.iter().take(100).enumerate() {
                let index = place * 2 + shard as usize;
                assert_eq!(found["Data"], record(index)["Data"]);
                assert_eq!(found["PartitionKey"], record(index)["PartitionKey"]);
                assert_eq!(found["SequenceNumber"], put["Records"][index]["SequenceNumber"]);
                assert_eq!(put["Records"][index]["ShardId"], shard_id(shard));
                assert!(found.get("EncryptionType").is_none());
            }
            assert!(
                read.windows(2).all(|pair| pair[0]["SequenceNumber"].as_str() < pair[1]["SequenceNumber"].as_str())
            );
        }

        let sixth = &put["Records"][10]["SequenceNumber"];
        let count = async |more: Value| node.read(node.iterator("s", 0, more).await).await.len();
        assert_eq!(
            count(json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": sixth })).await,
            96
        );
        assert_eq!(
            count(json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": sixth })).await,
            95
        );
        assert_eq!(count(json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 0 })).await, 101);
        let latest = node.iterator("s", 0, json!({ "ShardIteratorType": "LATEST" })).await;
        let new = json!({ "StreamName": "s", "Data": base64(b"new"), "PartitionKey": "k", "ExplicitHashKey": "0",
                          "SequenceNumberForOrdering": last["SequenceNumber"] });
        let new = node.ok("PutRecord", new).await;
        assert!(new["SequenceNumber"].as_str() > last["SequenceNumber"].as_str());
        let read = node.read(latest).await;
        assert_eq!((read.len(), &read[0]["Data"]), (1, &json!(base64(b"new"))));
        node.server.shutdown().await;
    });
}

#[test]
fn a_limit_cuts_a_read_and_the_next_iterator_goes_on_there() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 1).await;
        let records: Vec<_> = (0..25).map(|index| json!({ "Data": base64(&[index]), "PartitionKey": "k" })).collect();
        node.ok("PutRecords", json!({ "StreamName": "s", "Records": records })).await;
        let mut iterator = node.iterator("s", 0, json!({ "ShardIteratorType": "TRIM_HORIZON" })).await;
        let mut data = Vec::new();
        for expected in [10, 10, 5, 0] {
            let reply = node.ok("GetRecords", json!({ "ShardIterator": iterator, "Limit": 10 })).await;
            let found = reply["Records"].as_array().unwrap();
            assert_eq!(found.len(), expected);
            data.extend(found.iter().map(|record| record["Data"].clone()));
            iterator = reply["NextShardIterator"].as_str().unwrap().to_owned();
            assert!(expected > 5 || reply["MillisBehindLatest"] == 0);
        }
        assert_eq!(data, records.iter().map(|record| record["Data"].clone()).collect::<Vec<_>>());
        node.server.shutdown().await;
    });
}

#[test]
fn what_exceeds_a_shards_limit_fails_record_by_record_and_the_rest_is_stored() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Aws).await;
        node.create("s", 1).await;
        let record = json!({ "Data": base64(&[7; 4_096]), "PartitionKey": "k" });
        let put = node.ok("PutRecords", json!({ "StreamName": "s", "Records": vec![record; 400] })).await;
        let failed = put["FailedRecordCount"].as_u64().unwrap();
        assert!((100..400).contains(&failed), "{failed} of 400 records of 4 KiB");
        let entries = put["Records"].as_array().unwrap();
        let (stored, refused) = entries.split_at(400 - failed as usize);
        assert!(stored.iter().all(|entry| entry["SequenceNumber"].is_string()));
        for entry in refused {
            assert_eq!(entry["ErrorCode"], "ProvisionedThroughputExceededException");
            assert_eq!(
                entry["ErrorMessage"],
                format!("Rate exceeded for shard {} in stream s under account 000000000000.", shard_id(0))
            );
        }
        assert_eq!(node.read_all("s", 0).await.len(), stored.len());
        node.server.shutdown().await;
    });
}

#[test]
fn retention_goes_up_and_down_within_its_bounds() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Aws).await;
        node.create("s", 1).await;
        let hours = |hours: i32| json!({ "StreamName": "s", "RetentionPeriodHours": hours });
        node.ok("IncreaseStreamRetentionPeriod", hours(48)).await;
        let summary = node.ok("DescribeStreamSummary", json!({ "StreamName": "s" })).await;
        assert_eq!(summary["StreamDescriptionSummary"]["RetentionPeriodHours"], 48);
        node.ok("DecreaseStreamRetentionPeriod", hours(24)).await;
        for (operation, asked, part) in [
            ("IncreaseStreamRetentionPeriod", 8_761, "is too long"),
            ("DecreaseStreamRetentionPeriod", 23, "is too short"),
            ("DecreaseStreamRetentionPeriod", 48, "can not be longer than existing"),
        ] {
            let (kind, message) = node.error(operation, hours(asked)).await;
            assert!(kind == "InvalidArgumentException" && message.contains(part), "{kind}: {message}");
        }
        node.server.shutdown().await;
    });
}
