//! Reads one shard from its beginning, and goes on as it grows.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base64_simd::STANDARD;
use bytes::Bytes;
use env::Env;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::sdk::Sdk;
use super::{Shared, locked};
use crate::bench::{BenchError, read};

/// Between two reads: Kinesis allows five per second and shard.
const PAUSE: Duration = Duration::from_millis(250);
/// Of one read. Far more than is written meanwhile, so that a reader catches up.
const LIMIT: u32 = 1_000;

pub(super) struct Reader {
    env: Env,
    sdk: Sdk,
    stream: String,
    shard: String,
    books: Shared,
    iterator: Option<String>,
    /// Of the newest record that was read.
    sequence_number: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Iterator<'a> {
    shard_iterator: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Records<'a> {
    #[serde(borrow)]
    records: Vec<Record<'a>>,
    next_shard_iterator: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    // Neither has anything to escape.
    data: &'a str,
    sequence_number: &'a str,
}

impl Reader {
    pub(super) fn new(env: &Env, sdk: Sdk, (stream, shard): (String, String), books: &Shared) -> Self {
        let (env, books) = (env.clone(), Arc::clone(books));
        Self { env, sdk, stream, shard, books, iterator: None, sequence_number: None }
    }

    pub(super) async fn run(mut self, is_over: watch::Receiver<bool>) {
        while !*is_over.borrow() {
            if let Err(error) = self.read_on().await {
                tracing::warn!(%error, shard = self.shard, "a read failed after all retries");
                locked(&self.books).failed();
                // Whatever is wrong with it: another one goes on behind what was read.
                self.iterator = None;
            }
            self.env.clock.sleep(PAUSE).await;
        }
    }

    async fn read_on(&mut self) -> Result<(), BenchError> {
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => self.place().await?,
        };
        let reply = self.call("GetRecords", json!({ "ShardIterator": iterator, "Limit": LIMIT })).await?;
        let reply: Records<'_> = read("GetRecords", &reply)?;
        for record in &reply.records {
            let data = STANDARD.decode_to_vec(record.data).map_err(|error| BenchError::Reply {
                operation: "GetRecords",
                reason: format!("data is not base64: {error}"),
            })?;
            locked(&self.books).note(&data);
        }
        if let Some(record) = reply.records.last() {
            self.sequence_number = Some(record.sequence_number.to_owned());
        }
        self.iterator = reply.next_shard_iterator.map(Cow::into_owned);
        Ok(())
    }

    /// An iterator for the first record that was not read yet.
    async fn place(&mut self) -> Result<String, BenchError> {
        let mut request = json!({ "StreamName": self.stream, "ShardId": self.shard });
        match &self.sequence_number {
            None => request["ShardIteratorType"] = "TRIM_HORIZON".into(),
            Some(number) => {
                request["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
                request["StartingSequenceNumber"] = number.as_str().into();
            }
        }
        let reply = self.call("GetShardIterator", request).await?;
        let reply: Iterator<'_> = read("GetShardIterator", &reply)?;
        Ok(reply.shard_iterator.into_owned())
    }

    async fn call(&mut self, operation: &'static str, request: Value) -> Result<Bytes, BenchError> {
        let (body, books) = (Bytes::from(request.to_string()), &self.books);
        let called = self.sdk.call(operation, &body, || locked(books).retried()).await;
        called.map_err(|error| BenchError::Call { operation, error })
    }
}
