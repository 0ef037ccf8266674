//! Starting and stopping.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use bytes::Bytes;
use serde_json::json;
use server::{LimitsMode, Server, StartError};
use support::{Node, base64, config, run};

#[test]
fn a_restarted_node_has_everything_and_goes_on_where_it_stopped() {
    run(async |dir| {
        let put = async |node: &Node, text: &str| {
            let request = json!({ "StreamName": "s", "Data": base64(text.as_bytes()), "PartitionKey": "k" });
            node.ok("PutRecord", request).await["SequenceNumber"].as_str().unwrap().to_owned()
        };
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 1).await;
        let first = put(&node, "before").await;
        let iterator = node.iterator("s", 0, json!({ "ShardIteratorType": "TRIM_HORIZON" })).await;
        node.server.shutdown().await;

        let node = Node::start(dir.path(), LimitsMode::Off).await;
        let second = put(&node, "after").await;
        assert!(second > first);
        let read = node.read(iterator).await;
        let found: Vec<_> = read.iter().map(|record| record["SequenceNumber"].as_str().unwrap()).collect();
        assert_eq!(found, [first.as_str(), second.as_str()]);
        assert_eq!(read[0]["Data"], base64(b"before"));
        node.server.shutdown().await;
    });
}

#[test]
fn health_and_metrics_are_on_the_admin_address() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        assert_eq!(node.page("/health/live").await, (200, "live\n".to_owned()));
        assert_eq!(node.page("/health/ready").await, (200, "ready\n".to_owned()));
        assert_eq!(node.page("/elsewhere").await.0, 404);
        node.ok("ListStreams", json!({})).await;
        let (status, metrics) = node.page("/metrics").await;
        assert_eq!(status, 200);
        assert!(
            metrics.contains("thalweg_api_requests_total{operation=\"ListStreams\",status=\"200\"} 1"),
            "{metrics}"
        );
        assert!(metrics.contains("\nthalweg_journal_syncs_total "), "{metrics}");
        node.server.shutdown().await;
    });
}

#[test]
fn a_directory_in_use_and_a_taken_address_are_refused_and_leave_nothing_behind() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        let again = Server::start(node.env.clone(), &config(LimitsMode::Off)).await.err().unwrap();
        assert!(matches!(again, StartError::Journal(journal::Error::InUse)), "{again}");
        assert!(again.to_string().contains("in use by another process: stop that one"), "{again}");

        let other = tempfile::tempdir().unwrap();
        let mut taken = config(LimitsMode::Off);
        taken.api_addr = node.server.api_addr();
        let refused = Server::start(env::real::env(other.path().to_owned()), &taken).await.err().unwrap();
        assert!(matches!(refused, StartError::Listen { key: "api_addr", .. }), "{refused}");
        let second = Node::start(other.path(), LimitsMode::Off).await;
        second.server.shutdown().await;
        node.server.shutdown().await;
    });
}

#[test]
fn a_directory_of_another_version_is_refused_with_what_to_do() {
    run(async |dir| {
        let env = env::real::env(dir.path().to_owned());
        let file = env.disk.create("FORMAT").await.unwrap();
        file.write_at(0, vec![Bytes::from_static(b"thalweg data format 99\n")]).await.unwrap();
        let refused = Server::start(env, &config(LimitsMode::Off)).await.err().unwrap();
        let message = refused.to_string();
        assert!(
            message.contains("format 99") && message.contains("start the program version that wrote it"),
            "{message}"
        );
    });
}

#[test]
fn what_was_acknowledged_while_a_node_stopped_is_there_after_its_next_start() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 4).await;
        let (acknowledged, mut counts) = tokio::sync::mpsc::unbounded_channel();
        for writer in 0..8_u64 {
            let (client, acknowledged) = (node.client(), acknowledged.clone());
            let write = async move {
                let record = |key| json!({ "Data": base64(b"x"), "PartitionKey": format!("{writer}-{key}") });
                let records: Vec<_> = (0..100).map(record).collect();
                let request = json!({ "StreamName": "s", "Records": records });
                // Until the node takes no more.
                while let Some((200, put)) = client.try_call("PutRecords", &request).await {
                    acknowledged.send(100 - put["FailedRecordCount"].as_u64().unwrap()).unwrap();
                }
            };
            node.env.spawn.task("writer", Box::pin(write));
        }
        drop(acknowledged);
        let mut total = counts.recv().await.unwrap();
        node.server.shutdown().await;
        while let Some(count) = counts.recv().await {
            total += count;
        }
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        let mut read = 0;
        for shard in 0..4 {
            read += node.read_all("s", shard).await.len() as u64;
        }
        assert!(read >= total, "{total} records acknowledged, {read} read");
        node.server.shutdown().await;
    });
}
