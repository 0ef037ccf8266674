//! The state of a cluster on the admin address, and data directories that are made before they are served.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use server::{Established, LimitsMode, Server, establish};
use support::{Node, config, run};

impl Node {
    async fn cluster(&self) -> Value {
        let (status, body) = self.page("/cluster").await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn wish(&self, path: &str, content_type: &str, body: &str) -> (u16, Value) {
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let request = Request::post(path).header("host", "thalweg").header("content-type", content_type);
        let (status, body) = self.send(self.server.admin_addr(), request.body(body).unwrap()).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn set_state(&self, node: u64, wish: Value) -> (u16, Value) {
        self.wish(&format!("/cluster/nodes/{node}/state"), "application/json", &wish.to_string()).await
    }
}

#[test]
fn a_node_tells_how_its_cluster_stands() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 2).await;
        let status = loop {
            // A stream is ACTIVE a moment before the controllers have looked again.
            let status = node.cluster().await;
            if status["waiting"] == json!([]) {
                break status;
            }
            node.env.clock.sleep(Duration::from_millis(20)).await;
        };
        assert_eq!((&status["cluster"], &status["answered_by"]), (&json!("thalweg"), &json!(1)));
        assert_eq!(status["catalog"]["leader"], 1);
        let only = &status["nodes"][0];
        assert_eq!((&only["id"], &only["state"], &only["alive"]), (&json!(1), &json!("active"), &json!(true)));
        assert_eq!((&only["replicas"], &only["leaders"]), (&json!(2), &json!(2)));
        // Three replicas are asked for, and one node can have only one.
        assert_eq!((&status["shards"]["under_replicated"], &status["balanced"]), (&json!(2), &json!(true)));
        node.server.shutdown().await;
    });
}

#[test]
fn a_nodes_state_is_changed_with_reason_and_again_without_effect() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        node.create("s", 1).await;
        let error = |(status, body): (u16, Value)| (status, body["error"].as_str().unwrap_or_default().to_owned());
        let (status, why) = error(node.set_state(1, json!({ "state": "draining" })).await);
        assert_eq!((status, &*why), (412, "if node 1 stopped, 1 shard would be without a majority of replicas"));
        let (status, why) = error(node.set_state(1, json!({ "state": "leaving" })).await);
        assert_eq!(
            (status, &*why),
            (412, "without node 1 there would be 0 nodes for shards that should have 3 replicas")
        );
        for _ in 0..2 {
            let (status, body) = node.set_state(1, json!({ "state": "draining", "force": true })).await;
            assert_eq!((status, body), (200, json!({ "node": 1, "state": "draining" })));
        }
        let waiting = node.cluster().await["waiting"][0].clone();
        let stuck = "node 1 is draining and leads 1 shard; of 1 no other replica is on an active node that is alive";
        assert_eq!(waiting, stuck);
        assert_eq!(node.set_state(1, json!({ "state": "leaving", "force": true })).await.0, 200);
        let (status, why) = error(node.set_state(1, json!({ "state": "draining", "force": true })).await);
        assert_eq!((status, &*why), (409, "node 1 is leaving and can't become draining"));
        assert_eq!(node.set_state(1, json!({ "state": "active" })).await.0, 200);
        assert_eq!(node.cluster().await["nodes"][0]["state"], "active");
        node.server.shutdown().await;
    });
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    run(async |dir| {
        let node = Node::start(dir.path(), LimitsMode::Off).await;
        let path = "/cluster/nodes/1/state";
        let wish = r#"{"state": "draining", "force": true}"#;
        assert_eq!(node.wish(path, "text/plain", wish).await.0, 415, "what a page in a browser could send");
        for bad in ["", "{}", "[]", r#"{"state": 1}"#, r#"{"state": "gone"}"#, r#"{"state": "draining", "sure": true}"#]
        {
            assert_eq!(node.wish(path, "application/json", bad).await.0, 400, "{bad}");
        }
        assert_eq!(node.set_state(9, json!({ "state": "active" })).await.0, 404);
        assert_eq!(node.wish("/cluster/nodes/x/state", "application/json", wish).await.0, 404);
        assert_eq!(node.wish("/cluster", "application/json", wish).await.0, 404);
        assert_eq!(node.page("/cluster/nodes").await.0, 404);
        assert_eq!(node.cluster().await["nodes"][0]["state"], "active");
        node.server.shutdown().await;
    });
}

#[test]
fn a_directory_that_was_made_before_is_served_without_seeds() {
    run(async |dir| {
        let mut config = config(LimitsMode::Off);
        let env = env::real::env(dir.path().to_owned());
        let made = establish(env.clone(), &config).await.unwrap();
        let Established::Now { cluster_id } = made else { panic!("the directory was empty") };
        assert_eq!(establish(env.clone(), &config).await.unwrap(), Established::Before);
        // Nobody is there: a node that wanted to join would wait for ever.
        config.seeds = vec!["127.0.0.1:1".into()];
        let server = Server::start(env.clone(), &config).await.unwrap();
        let node = Node { env, server };
        assert_eq!(establish(node.env.clone(), &config).await.unwrap(), Established::Before, "it is in use");
        assert_eq!(node.cluster().await["cluster_id"], cluster_id);
        node.server.shutdown().await;
    });
}
