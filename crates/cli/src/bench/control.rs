//! The stream that is loaded: made, waited for, deleted.

use std::time::Duration;

use bytes::Bytes;
use env::Env;
use serde::Deserialize;
use serde_json::json;

use super::args::BenchArgs;
use super::client::{CallError, Client};
use super::error::BenchError;

const ACTIVE_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The stream of one run.
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) shards: Vec<String>,
    /// Whether this run has made it.
    pub(crate) is_new: bool,
}

impl Stream {
    /// Finds the stream, or makes it, and waits until it is ACTIVE.
    pub(crate) async fn open(env: &Env, client: &mut Client, args: &BenchArgs) -> Result<Stream, BenchError> {
        let name = args.stream.clone().unwrap_or_else(|| format!("bench-{:016x}", env.random.u64()));
        let exists = args.stream.is_some() && status(client, &name).await?.is_some();
        if !exists {
            return Self::make(env, client, name, args.shards).await;
        }
        Self::found(env, client, name, false).await
    }

    /// Makes a stream, and waits until it is ACTIVE.
    pub(crate) async fn make(env: &Env, client: &mut Client, name: String, shards: u32) -> Result<Stream, BenchError> {
        call(client, "CreateStream", json!({ "StreamName": name, "ShardCount": shards })).await?;
        Self::found(env, client, name, true).await
    }

    async fn found(env: &Env, client: &mut Client, name: String, is_new: bool) -> Result<Stream, BenchError> {
        wait_active(env, client, &name).await?;
        let shards = shards(client, &name).await?;
        Ok(Stream { name, shards, is_new })
    }

    /// Deletes the stream if this run has made it and `keep` is not asked for.
    pub(crate) async fn close(&self, client: &mut Client, keep: bool) -> Result<(), BenchError> {
        if self.is_new && !keep {
            call(client, "DeleteStream", json!({ "StreamName": self.name })).await?;
        }
        Ok(())
    }
}

async fn status(client: &mut Client, name: &str) -> Result<Option<String>, BenchError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Reply {
        stream_description_summary: Summary,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Summary {
        stream_status: String,
    }
    match call(client, "DescribeStreamSummary", json!({ "StreamName": name })).await {
        Ok(body) => {
            let reply: Reply = read("DescribeStreamSummary", &body)?;
            Ok(Some(reply.stream_description_summary.stream_status))
        }
        Err(BenchError::Call { error, .. }) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn wait_active(env: &Env, client: &mut Client, name: &str) -> Result<(), BenchError> {
    let begun = env.clock.monotonic();
    while env.clock.monotonic() - begun < ACTIVE_TIMEOUT {
        match status(client, name).await {
            Ok(Some(status)) if status == "ACTIVE" => return Ok(()),
            Err(BenchError::Call { error, .. }) if error.is_throttled() => {}
            other => drop(other?),
        }
        env.clock.sleep(POLL_INTERVAL).await;
    }
    Err(BenchError::NotActive(name.to_owned()))
}

async fn shards(client: &mut Client, name: &str) -> Result<Vec<String>, BenchError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Reply {
        shards: Vec<Shard>,
        next_token: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Shard {
        shard_id: String,
    }
    let mut ids = Vec::new();
    let mut request = json!({ "StreamName": name });
    loop {
        let reply: Reply = read("ListShards", &call(client, "ListShards", request).await?)?;
        ids.extend(reply.shards.into_iter().map(|shard| shard.shard_id));
        let Some(token) = reply.next_token else { return Ok(ids) };
        request = json!({ "NextToken": token });
    }
}

/// Calls an operation that must succeed.
pub(crate) async fn call(
    client: &mut Client,
    operation: &'static str,
    request: serde_json::Value,
) -> Result<Bytes, BenchError> {
    let body = Bytes::from(request.to_string());
    client.call(operation, body).await.map_err(|error: CallError| BenchError::Call { operation, error })
}

/// Reads a reply.
pub(crate) fn read<'a, T: Deserialize<'a>>(operation: &'static str, body: &'a [u8]) -> Result<T, BenchError> {
    serde_json::from_slice(body).map_err(|error| BenchError::Reply { operation, reason: error.to_string() })
}
