//! A producer: puts records by one and by many, under few or many keys, and sometimes tries again what failed.

use std::rc::Rc;

use oracle::{ClientId, Event, PayloadId, ShardRef};
use serde_json::{Value, json};
use types::{SequenceNumber, StreamName};

use crate::client::{Client, Failure};
use crate::dice::Dice;
use crate::world::{OpenShard, Phase, World, pause};
use crate::{payload, states};

/// Payloads that failed and are still to be tried again, at most.
const RETRIES_WAITING_MAX: usize = 40;

/// One record on its way.
#[derive(Clone)]
struct Put {
    payload: PayloadId,
    bytes: usize,
    key: String,
    hash_key: Option<String>,
}

pub(crate) struct Producer {
    id: ClientId,
    client: Client,
    world: Rc<World>,
    dice: Dice,
    retries: Vec<(StreamName, Put)>,
}

impl Producer {
    pub(crate) fn new(id: u64, world: &Rc<World>) -> Self {
        let name = format!("producer-{id}");
        let dice = Dice::new(world.plan.seed, &name);
        let client = Client::new(name, Rc::clone(world));
        Self { id: ClientId(id), client, world: Rc::clone(world), dice, retries: Vec::new() }
    }

    pub(crate) async fn run(mut self) {
        while self.world.phase() == Phase::Faults {
            pause(self.dice.between(1, self.world.plan.workload.put_pause_ms_max)).await;
            let shards = self.world.shards();
            if shards.is_empty() {
                continue;
            }
            let stream = self.dice.pick(&shards.iter().map(|shard| &shard.shard.stream).collect::<Vec<_>>()).clone();
            self.put_some(stream).await;
        }
    }

    async fn put_some(&mut self, stream: StreamName) {
        let shards = self.world.shards_of(&stream);
        let count = if self.dice.percent(40) { 1 } else { self.dice.between(1, self.world.plan.workload.batch_max) };
        let mut puts = self.take_retries(&stream, count as usize);
        while puts.len() < count as usize {
            puts.push(self.new_put(&shards));
        }
        self.attempt(&stream, &puts);
        if puts.len() == 1 && self.dice.percent(70) {
            self.put_one(stream, &puts[0]).await;
        } else {
            self.put_many(stream, &puts).await;
        }
    }

    fn take_retries(&mut self, stream: &StreamName, count: usize) -> Vec<Put> {
        let (mine, others): (Vec<_>, Vec<_>) = self.retries.drain(..).partition(|(of, _)| of == stream);
        self.retries = others;
        let mut mine: Vec<Put> = mine.into_iter().map(|(_, put)| put).collect();
        let later = mine.split_off(mine.len().min(count));
        self.retries.extend(later.into_iter().map(|put| (stream.clone(), put)));
        mine
    }

    fn new_put(&mut self, shards: &[OpenShard]) -> Put {
        let plan = &self.world.plan.workload;
        // Half of the records go to one key, so that one shard is hotter than the others.
        let key = if self.dice.percent(50) { 0 } else { self.dice.below(plan.keys) };
        let bytes = self.dice.between(8, plan.record_bytes_max) as usize;
        let hash_key =
            self.dice.percent(20).then(|| shards[self.dice.below(shards.len() as u64) as usize].hash_key.clone());
        Put { payload: self.world.new_payload(), bytes, key: format!("key-{key}-é"), hash_key }
    }

    fn attempt(&self, stream: &StreamName, puts: &[Put]) {
        let at = self.world.now_ms();
        for put in puts {
            let (stream, key) = (stream.clone(), put.key.clone());
            self.world.record(Event::PutAttempt { client: self.id, stream, key, payload: put.payload, at });
        }
    }

    async fn put_one(&mut self, stream: StreamName, put: &Put) {
        let mut request = record_of(put);
        request["StreamName"] = json!(stream.as_str());
        match self.client.call("PutRecord", &request).await {
            Ok(reply) => self.settle(&stream, put, &reply),
            Err(failure) => self.fail(&stream, std::slice::from_ref(put), &failure),
        }
    }

    async fn put_many(&mut self, stream: StreamName, puts: &[Put]) {
        let records: Vec<Value> = puts.iter().map(record_of).collect();
        let request = json!({ "StreamName": stream.as_str(), "Records": records });
        match self.client.call("PutRecords", &request).await {
            Ok(reply) => {
                let results = reply["Records"].as_array().cloned().unwrap_or_default();
                if results.len() != puts.len() {
                    self.world.violation(format!("{} results for {} records", results.len(), puts.len()));
                }
                puts.iter().zip(&results).for_each(|(put, result)| self.settle(&stream, put, result));
            }
            Err(failure) => self.fail(&stream, puts, &failure),
        }
    }

    /// Notes the outcome of one record that the service answered for.
    fn settle(&mut self, stream: &StreamName, put: &Put, result: &Value) {
        let Some((shard, number)) = position_of(stream, result) else {
            if result["ErrorCode"] == "ProvisionedThroughputExceededException" {
                self.world.trace.reached(states::THROTTLED);
            }
            return self.unknown(stream, put);
        };
        self.world.remember(&shard, number);
        self.world.record(Event::PutAcked { shard, number, payload: put.payload, at: self.world.now_ms() });
    }

    fn fail(&mut self, stream: &StreamName, puts: &[Put], failure: &Failure) {
        self.world.judge_missing(stream, failure);
        if let Failure::Refused { code, message, .. } = failure {
            if code == "ProvisionedThroughputExceededException" {
                self.world.trace.reached(states::THROTTLED);
            }
            if is_full(code, message) {
                self.world.trace.reached(states::REFUSED_FULL);
            }
        }
        puts.iter().for_each(|put| self.unknown(stream, put));
    }

    fn unknown(&mut self, stream: &StreamName, put: &Put) {
        self.world.record(Event::PutUnknown { payload: put.payload, at: self.world.now_ms() });
        let again = self.dice.percent(self.world.plan.workload.retry_percent);
        if again && self.retries.len() < RETRIES_WAITING_MAX {
            self.retries.push((stream.clone(), put.clone()));
        }
    }
}

fn is_full(_code: &str, message: &str) -> bool {
    message.to_lowercase().contains("disk") || message.to_lowercase().contains("space")
}

fn record_of(put: &Put) -> Value {
    let data = base64_simd::STANDARD.encode_to_string(payload::encode(put.payload, put.bytes));
    let mut record = json!({ "PartitionKey": put.key, "Data": data });
    if let Some(hash_key) = &put.hash_key {
        record["ExplicitHashKey"] = json!(hash_key);
    }
    record
}

/// Where a successful put's record is; `None` for one that failed.
fn position_of(stream: &StreamName, result: &Value) -> Option<(ShardRef, SequenceNumber)> {
    let shard = result["ShardId"].as_str()?.parse().ok()?;
    let number = result["SequenceNumber"].as_str()?.parse().ok()?;
    Some((ShardRef { stream: stream.clone(), shard }, number))
}
