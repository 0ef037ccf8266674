//! A node in a directory of its own, and a client that says what it likes.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use base64_simd::STANDARD;
use bytes::Bytes;
use env::Env;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use server::{Config, LimitsMode, Server};

/// No test waits longer for anything.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running node.
pub(crate) struct Node {
    pub(crate) env: Env,
    pub(crate) server: Server,
}

/// An answer: status and body, null if the body is not JSON.
pub(crate) type Answer = (u16, Value);

/// Runs `test` in the real world, within the deadline.
pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce(tempfile::TempDir) -> F) {
    let dir = tempfile::tempdir().unwrap();
    let within = async { tokio::time::timeout(DEADLINE, test(dir)).await.expect("the test hangs") };
    env::real::run(within).unwrap();
}

/// The defaults, on free ports and with little on disk.
pub(crate) fn config(limits: LimitsMode) -> Config {
    let mut config = Config::default();
    config.api_addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.admin_addr = config.api_addr;
    config.limits = limits;
    config.journal.file_bytes = 16 << 20;
    config.journal.files_max = 4;
    config.journal.free_bytes_reserve = 0;
    config
}

/// Where requests go.
pub(crate) struct Client {
    env: Env,
    address: SocketAddr,
}

impl Client {
    /// The answer, if there is one.
    async fn send(&self, request: Request<Full<Bytes>>) -> Option<(u16, Bytes)> {
        let stream = self.env.network.connect(self.address).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        let drive = async move {
            // Its error is seen by the request.
            let _ = connection.await;
        };
        self.env.spawn.task("client", Box::pin(drive));
        let reply = sender.send_request(request).await.ok()?;
        let status = reply.status().as_u16();
        Some((status, reply.into_body().collect().await.ok()?.to_bytes()))
    }

    /// Calls an operation, if there is still someone to answer.
    pub(crate) async fn try_call(&self, operation: &str, request: &Value) -> Option<Answer> {
        let (status, body) = self.send(call(operation, request.to_string().into())).await?;
        Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}

fn call(operation: &str, body: Bytes) -> Request<Full<Bytes>> {
    Request::post("/")
        .header("host", "thalweg")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("Kinesis_20131202.{operation}"))
        .body(Full::new(body))
        .unwrap()
}

impl Node {
    pub(crate) async fn start(dir: &Path, limits: LimitsMode) -> Node {
        let env = env::real::env(dir.to_owned());
        let server = Server::start(env.clone(), &config(limits)).await.unwrap();
        Node { env, server }
    }

    /// A client that outlives the node.
    pub(crate) fn client(&self) -> Client {
        Client { env: self.env.clone(), address: self.server.api_addr() }
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(&self, address: SocketAddr, request: Request<Full<Bytes>>) -> (u16, Bytes) {
        Client { env: self.env.clone(), address }.send(request).await.expect("no answer")
    }

    /// Calls an operation with any bytes.
    pub(crate) async fn raw(&self, operation: &str, body: impl Into<Bytes>) -> Answer {
        let (status, body) = self.send(self.server.api_addr(), call(operation, body.into())).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) async fn call(&self, operation: &str, request: Value) -> Answer {
        self.raw(operation, request.to_string()).await
    }

    /// Calls an operation that must succeed.
    pub(crate) async fn ok(&self, operation: &str, request: Value) -> Value {
        let (status, reply) = self.call(operation, request.clone()).await;
        assert_eq!(status, 200, "{operation} {request}: {reply}");
        reply
    }

    /// Calls an operation that must fail, and returns type and message.
    pub(crate) async fn error(&self, operation: &str, request: Value) -> (String, String) {
        let (status, reply) = self.call(operation, request.clone()).await;
        assert_eq!(status, 400, "{operation} {request}: {reply}");
        error_of(&reply)
    }

    /// A page of the admin address.
    pub(crate) async fn page(&self, path: &str) -> (u16, String) {
        let request = Request::get(path).header("host", "thalweg").body(Full::default()).unwrap();
        let (status, body) = self.send(self.server.admin_addr(), request).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Makes a stream and waits until it is ACTIVE.
    pub(crate) async fn create(&self, name: &str, shards: u32) {
        self.ok("CreateStream", json!({ "StreamName": name, "ShardCount": shards })).await;
        self.wait(name, "ACTIVE").await;
    }

    pub(crate) async fn wait(&self, name: &str, wanted: &str) {
        loop {
            let reply = self.ok("DescribeStreamSummary", json!({ "StreamName": name })).await;
            if reply["StreamDescriptionSummary"]["StreamStatus"] == wanted {
                return;
            }
            self.env.clock.sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn iterator(&self, stream: &str, shard: u32, more: Value) -> String {
        let mut request = json!({ "StreamName": stream, "ShardId": shard_id(shard) });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ok("GetShardIterator", request).await["ShardIterator"].as_str().unwrap().to_owned()
    }

    /// The records from an iterator to the tip.
    pub(crate) async fn read(&self, mut iterator: String) -> Vec<Value> {
        let mut records = Vec::new();
        loop {
            let reply = self.ok("GetRecords", json!({ "ShardIterator": iterator })).await;
            let found = reply["Records"].as_array().unwrap();
            if found.is_empty() {
                return records;
            }
            records.extend(found.iter().cloned());
            iterator = reply["NextShardIterator"].as_str().unwrap().to_owned();
        }
    }

    pub(crate) async fn read_all(&self, stream: &str, shard: u32) -> Vec<Value> {
        self.read(self.iterator(stream, shard, json!({ "ShardIteratorType": "TRIM_HORIZON" })).await).await
    }
}

pub(crate) fn error_of(reply: &Value) -> (String, String) {
    let text = |name: &str| reply[name].as_str().unwrap_or_default().to_owned();
    (text("__type"), text("message") + &text("Message"))
}

pub(crate) fn shard_id(index: u32) -> String {
    format!("shardId-{index:012}")
}

pub(crate) fn base64(data: &[u8]) -> String {
    STANDARD.encode_to_string(data)
}
