//! A reader: keeps an iterator per shard and goes on with it over crashes; sometimes it forgets, as a restarted consumer does.

use std::collections::BTreeMap;
use std::rc::Rc;

use oracle::{Event, ReaderId, ShardRef, Start};
use serde_json::{Value, json};
use types::SequenceNumber;

use super::audit::records_of;
use crate::client::{Client, Failure};
use crate::dice::Dice;
use crate::states;
use crate::world::{Phase, World, pause};

/// Where the reader is in one shard.
struct Position {
    iterator: String,
    /// Crashes of the server before the iterator was given.
    crashes: u64,
}

pub(crate) struct Reader {
    id: ReaderId,
    client: Client,
    world: Rc<World>,
    dice: Dice,
    positions: BTreeMap<ShardRef, Position>,
    /// The last record read of each shard, by number and its place among the shard's records.
    last: BTreeMap<ShardRef, SequenceNumber>,
}

impl Reader {
    pub(crate) fn new(id: u64, world: &Rc<World>) -> Self {
        let name = format!("reader-{id}");
        let dice = Dice::new(world.plan.seed, &name);
        let client = Client::new(name, Rc::clone(world));
        let (positions, last) = Default::default();
        Self { id: ReaderId(id), client, world: Rc::clone(world), dice, positions, last }
    }

    pub(crate) async fn run(mut self) {
        while self.world.phase() == Phase::Faults {
            pause(self.dice.between(5, 150)).await;
            let shards = self.world.shards();
            if shards.is_empty() {
                continue;
            }
            if self.dice.percent(1) {
                self.forget();
            }
            // Now and then it lags behind for long enough that records are trimmed before it comes.
            if self.dice.percent(2) {
                pause(self.dice.between(1_000, 8_000)).await;
            }
            let shard = shards[self.dice.below(shards.len() as u64) as usize].shard.clone();
            match self.positions.contains_key(&shard) {
                true => self.read(&shard).await,
                false => self.open(&shard).await,
            }
        }
    }

    fn forget(&mut self) {
        self.positions.clear();
        self.last.clear();
        self.world.record(Event::ReaderRestarted { reader: self.id, at: self.world.now_ms() });
    }

    async fn open(&mut self, shard: &ShardRef) {
        let start = match self.last.get(shard) {
            Some(last) => Start::After(*last),
            None => self.choose_start(shard),
        };
        let mut request = request_of(start);
        request["StreamName"] = json!(shard.stream.as_str());
        request["ShardId"] = json!(shard.shard.to_string());
        let asked_at = self.world.now_ms();
        let reply = match self.client.call("GetShardIterator", &request).await {
            Ok(reply) => reply,
            Err(failure) => return self.world.judge_missing(&shard.stream, &failure),
        };
        let Some(iterator) = reply["ShardIterator"].as_str().map(str::to_owned) else { return };
        let at = self.world.now_ms();
        self.world.record(Event::IteratorOpened { reader: self.id, shard: shard.clone(), start, at, asked_at });
        self.positions.insert(shard.clone(), Position { iterator, crashes: self.world.crashes.get() });
    }

    fn choose_start(&mut self, shard: &ShardRef) -> Start {
        let numbers = self.world.remembered(shard);
        match self.dice.below(5) {
            0 => Start::Latest,
            1 if !numbers.is_empty() => Start::At(self.dice.pick(&numbers)),
            2 if !numbers.is_empty() => Start::After(self.dice.pick(&numbers)),
            3 => {
                let now = self.world.now_ms();
                Start::AtTimestamp(self.dice.between(crate::plan::BASE_UNIX_MS, now))
            }
            _ => Start::TrimHorizon,
        }
    }

    async fn read(&mut self, shard: &ShardRef) {
        let Some(position) = self.positions.get(shard) else { return };
        let over_crash = position.crashes < self.world.crashes.get();
        let mut request = json!({ "ShardIterator": position.iterator });
        if self.dice.percent(60) {
            request["Limit"] = json!(self.dice.between(1, 40));
        }
        match self.client.call("GetRecords", &request).await {
            Ok(reply) => self.take(shard, &reply, over_crash),
            Err(failure) => self.fail(shard, &failure),
        }
    }

    fn take(&mut self, shard: &ShardRef, reply: &Value, over_crash: bool) {
        let records = records_of(reply);
        if let Some(last) = records.last() {
            if over_crash {
                self.world.trace.reached(states::CHAIN_OVER_CRASH);
            }
            let expected = self.last.get(shard).map(|last| last.record().0 + 1);
            if expected.is_some_and(|expected| records[0].number.record().0 > expected) {
                self.world.trace.reached(states::TRIM_SEEN);
            }
            self.last.insert(shard.clone(), last.number);
        }
        let at = self.world.now_ms();
        self.world.record(Event::Read { reader: self.id, shard: shard.clone(), records, at });
        match reply["NextShardIterator"].as_str() {
            Some(next) => {
                let crashes = self.world.crashes.get();
                self.positions.insert(shard.clone(), Position { iterator: next.to_owned(), crashes });
            }
            None => {
                self.world.violation(format!("{shard} is open, and its iterator has no next one"));
                self.positions.remove(shard);
            }
        }
    }

    fn fail(&mut self, shard: &ShardRef, failure: &Failure) {
        self.world.judge_missing(&shard.stream, failure);
        if failure.is("ExpiredIteratorException") {
            self.world.trace.reached(states::ITERATOR_EXPIRED);
        }
        // Without a verdict the same iterator is used again: it must still be good.
        if failure.is_final() {
            self.positions.remove(shard);
        }
    }
}

fn request_of(start: Start) -> Value {
    match start {
        Start::TrimHorizon | Start::Unknown => json!({ "ShardIteratorType": "TRIM_HORIZON" }),
        Start::Latest => json!({ "ShardIteratorType": "LATEST" }),
        Start::At(number) => {
            json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": number.to_string() })
        }
        Start::After(number) => {
            json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": number.to_string() })
        }
        Start::AtTimestamp(ms) => {
            json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": ms as f64 / 1_000.0 })
        }
    }
}
