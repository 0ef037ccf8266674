//! Reading one shard from its beginning.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base64_simd::STANDARD;
use bytes::Bytes;
use env::Env;
use serde::Deserialize;
use serde_json::json;

use super::client::{CallError, Client};
use super::control::{call, read};
use super::counters::Counters;
use super::error::BenchError;

const THROTTLED_PAUSE: Duration = Duration::from_millis(100);
/// Broken calls in a row after which a read gives up.
const RETRIES_MAX: u32 = 20;

/// A place in a shard.
pub(crate) struct ShardReader {
    env: Env,
    client: Client,
    stream: Arc<str>,
    shard: String,
    limit: u32,
    iterator: Option<String>,
    counters: Arc<Counters>,
}

/// One GetRecords.
pub(crate) struct Read {
    /// The reply, for [`Self::for_each`].
    body: Bytes,
    /// The last call alone.
    pub(crate) took: Duration,
    /// Nothing more is there now.
    pub(crate) is_at_tip: bool,
    pub(crate) records: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head<'a> {
    next_shard_iterator: Option<Cow<'a, str>>,
    millis_behind_latest: u64,
    #[serde(borrow)]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    // Base64 has nothing to escape.
    data: &'a str,
}

impl ShardReader {
    pub(crate) fn new(
        env: &Env,
        client: Client,
        (stream, shard): (&Arc<str>, &str),
        limit: u32,
        counters: &Arc<Counters>,
    ) -> Self {
        let (stream, counters) = (Arc::clone(stream), Arc::clone(counters));
        Self { env: env.clone(), client, stream, shard: shard.to_owned(), limit, iterator: None, counters }
    }

    /// Goes back to the beginning of the shard.
    pub(crate) async fn rewind(&mut self) -> Result<(), BenchError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Reply {
            shard_iterator: String,
        }
        let request =
            json!({ "StreamName": &*self.stream, "ShardId": self.shard, "ShardIteratorType": "TRIM_HORIZON" });
        let mut tries = 0;
        let body = loop {
            match call(&mut self.client, "GetShardIterator", request.clone()).await {
                Ok(body) => break body,
                Err(BenchError::Call { error, .. }) if error.is_throttled() && tries < RETRIES_MAX => {
                    tries += 1;
                    self.env.clock.sleep(THROTTLED_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        };
        let reply: Reply = read("GetShardIterator", &body)?;
        self.iterator = Some(reply.shard_iterator);
        Ok(())
    }

    /// Reads on; `None` at the end of a closed shard.
    pub(crate) async fn next(&mut self) -> Result<Option<Read>, BenchError> {
        let Some(iterator) = &self.iterator else { return Ok(None) };
        let request = Bytes::from(json!({ "ShardIterator": iterator, "Limit": self.limit }).to_string());
        let (body, took) = self.get(request).await?;
        let head: Head<'_> = read("GetRecords", &body)?;
        self.iterator = head.next_shard_iterator.map(Cow::into_owned);
        let records = head.records.len() as u64;
        let is_at_tip = records == 0 && head.millis_behind_latest == 0;
        Counters::add(&self.counters.records, records);
        Ok(Some(Read { took, is_at_tip, records, body }))
    }

    async fn get(&mut self, request: Bytes) -> Result<(Bytes, Duration), BenchError> {
        let mut broken = 0;
        loop {
            let begun = self.env.clock.monotonic();
            match self.client.call("GetRecords", request.clone()).await {
                Ok(body) => return Ok((body, self.env.clock.monotonic() - begun)),
                Err(error) if error.is_throttled() => Counters::add(&self.counters.throttled, 1),
                Err(error @ CallError::Broken(_)) if broken < RETRIES_MAX => {
                    Counters::add(&self.counters.errors, 1);
                    tracing::debug!(%error, "read broken");
                    broken += 1;
                }
                Err(error) => return Err(BenchError::Call { operation: "GetRecords", error }),
            }
            self.env.clock.sleep(THROTTLED_PAUSE).await;
        }
    }
}

impl Read {
    /// Decodes each record into `scratch` and hands it to `each`.
    pub(crate) fn for_each(&self, scratch: &mut Vec<u8>, mut each: impl FnMut(&[u8])) -> Result<(), BenchError> {
        let head: Head<'_> = read("GetRecords", &self.body)?;
        for record in &head.records {
            scratch.clear();
            STANDARD.decode_append(record.data, scratch).map_err(|error| BenchError::Reply {
                operation: "GetRecords",
                reason: format!("data is not base64: {error}"),
            })?;
            each(scratch);
        }
        Ok(())
    }
}
