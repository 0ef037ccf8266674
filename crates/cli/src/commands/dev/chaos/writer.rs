//! Writes one shard, a record at a time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::Env;
use serde_json::json;
use tokio::sync::watch;

use super::sdk::Sdk;
use super::{Shared, locked};
use crate::bench::{Payload, RecordId};

/// Between two records: a load that a machine bears beside its nodes and whatever else runs on it.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) struct Writer {
    env: Env,
    sdk: Sdk,
    stream: String,
    /// Counted from 0, and so the number of the writer.
    shard: usize,
    /// A hash key in the middle of the shard.
    hash_key: u128,
    payload: Payload,
    books: Shared,
}

impl Writer {
    /// `shard` is one of `shards` that divide the hash keys evenly.
    pub(super) fn new(
        env: &Env,
        sdk: Sdk,
        (stream, shard, shards): (String, usize, usize),
        payload: &Payload,
        books: &Shared,
    ) -> Self {
        let (env, payload, books) = (env.clone(), payload.clone(), Arc::clone(books));
        let hash_key = middle(shard, shards);
        Self { env, sdk, stream, shard, hash_key, payload, books }
    }

    pub(super) async fn run(mut self, is_over: watch::Receiver<bool>) {
        while !*is_over.borrow() {
            self.put().await;
            self.env.clock.sleep(PAUSE).await;
        }
    }

    async fn put(&mut self) {
        let (books, shard) = (&self.books, self.shard);
        let number = locked(books).send(shard);
        // At most two for each node.
        let id = RecordId { worker: shard as u16, number };
        let body = Bytes::from(
            json!({
                "StreamName": self.stream,
                "PartitionKey": number.to_string(),
                "ExplicitHashKey": self.hash_key.to_string(),
                "Data": self.payload.base64(id),
            })
            .to_string(),
        );
        let again = || {
            let mut books = locked(books);
            books.repeat(shard, number);
            books.retried();
        };
        let replied = self.sdk.call("PutRecord", &body, again).await;
        let mut books = locked(books);
        match replied {
            Ok(_) => books.acknowledge(shard, number, self.env.clock.monotonic()),
            Err(error) => {
                tracing::warn!(%error, shard, "a put failed after all retries");
                books.repeat(shard, number);
                books.failed();
            }
        }
    }
}

/// A hash key far from the ends of one of so many equal ranges.
fn middle(shard: usize, shards: usize) -> u128 {
    let range = u128::MAX / shards as u128;
    range * shard as u128 + range / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middles_of_shards_are_spread_evenly() {
        assert_eq!(middle(0, 1), u128::MAX / 2);
        assert_eq!([0, 1, 2, 3].map(|shard| middle(shard, 4) >> 126), [0, 1, 2, 3]);
    }
}
