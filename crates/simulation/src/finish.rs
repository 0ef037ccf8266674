//! The end of a run: faults are over, so everything must work again, and everything is looked at.

use std::rc::Rc;

use oracle::{ClientId, Event, ShardRef};
use serde_json::json;

use crate::client::{Client, Failure};
use crate::driver::LEAP_GAP_MS;
use crate::payload;
use crate::plan::HOUR_MS;
use crate::states;
use crate::workload::audit;
use crate::world::{OpenShard, World, pause};

/// Virtual time from the end of faults, or from the last start, in which every shard takes a put.
const LIVE_WITHIN_MS: u64 = 20_000;
/// A shard on a rotten disk is given so long.
const ROTTEN_WITHIN_MS: u64 = 2_000;
/// A leap at the end.
const LEAP_MS: u64 = HOUR_MS / 2;
/// Longer than any retention of a run, and the oracle's grace.
const OUTLIVE_MS: u64 = 42 * HOUR_MS;

/// What the end asks of the driver.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request {
    /// One more loss of power.
    PowerLoss,
    /// Time passes.
    Leap {
        /// So much.
        ms: u64,
    },
}

/// Who puts at the end.
const FINISHER: ClientId = ClientId(1_000);

pub(crate) struct Finish {
    client: Client,
    world: Rc<World>,
}

impl Finish {
    pub(crate) fn new(world: &Rc<World>) -> Self {
        Self { client: Client::new("finisher".into(), Rc::clone(world)), world: Rc::clone(world) }
    }

    /// Every shard takes a put in time. Called right after the faults are over, while the workload ends.
    pub(crate) async fn check_live(&mut self) {
        let began_ms = self.world.elapsed_ms();
        if self.world.dead.get() {
            return;
        }
        for open in self.world.shards() {
            self.put_until_taken(&open, began_ms).await;
        }
    }

    async fn put_until_taken(&mut self, open: &OpenShard, began_ms: u64) {
        let rotten = self.world.rotten.get();
        let within_ms = if rotten { ROTTEN_WITHIN_MS } else { LIVE_WITHIN_MS };
        let asked_ms = if rotten { self.world.elapsed_ms() } else { began_ms };
        // The administrator may yet delete a stream.
        while self.is_there(&open.shard) {
            match self.put(open).await {
                Ok(()) => return,
                Err(failure) if failure.is("ResourceNotFoundException") => {
                    return self.lost(&open.shard);
                }
                Err(failure) if self.world.elapsed_ms() > asked_ms + within_ms => {
                    if !rotten {
                        let what = format!("invariant 9 in {}: takes no put: {failure:?}", open.shard);
                        self.world.violation(what);
                    }
                    return;
                }
                Err(_) => pause(100).await,
            }
        }
    }

    async fn put(&mut self, open: &OpenShard) -> Result<(), Failure> {
        let payload = self.world.new_payload();
        let (stream, key) = (open.shard.stream.clone(), "finish".to_owned());
        let request = json!({
            "StreamName": stream.as_str(),
            "PartitionKey": key,
            "ExplicitHashKey": open.hash_key,
            "Data": base64_simd::STANDARD.encode_to_string(payload::encode(payload, 64)),
        });
        let at = self.world.now_ms();
        self.world.record(Event::PutAttempt { client: FINISHER, stream, key, payload, at });
        let reply = self.client.call("PutRecord", &request).await;
        let at = self.world.now_ms();
        let reply = reply.inspect_err(|_| self.world.record(Event::PutUnknown { payload, at }))?;
        let text = |name: &str| reply[name].as_str().unwrap_or_default().to_owned();
        let (Ok(shard), Ok(number)) = (text("ShardId").parse(), text("SequenceNumber").parse()) else {
            self.world.violation(format!("a put was answered with {reply}"));
            return Ok(());
        };
        if shard != open.shard.shard {
            self.world.violation(format!("a put for {} went to {shard}", open.shard));
        }
        let shard = ShardRef { stream: open.shard.stream.clone(), shard };
        self.world.record(Event::PutAcked { shard, number, payload, at });
        Ok(())
    }

    /// Everything is read, once more after a loss of power, and again when all has expired.
    pub(crate) async fn look_at_everything(&mut self) {
        self.read_all().await;
        if self.world.rotten.get() {
            return;
        }
        self.world.ask(Request::PowerLoss);
        pause(50).await;
        self.check_live().await;
        self.read_all().await;
        if self.world.plan.outlive_retention {
            self.outlive_retention().await;
        }
    }

    async fn outlive_retention(&mut self) {
        for _ in 0..OUTLIVE_MS / LEAP_MS {
            self.world.ask(Request::Leap { ms: LEAP_MS });
            pause(LEAP_GAP_MS).await;
        }
        self.read_all().await;
    }

    async fn read_all(&mut self) {
        let mut refused = Vec::new();
        if self.world.dead.get() {
            refused = self.world.shards().into_iter().map(|open| open.shard).collect();
            return self.note_refused(refused);
        }
        for open in self.world.shards() {
            match audit::read_completely(&mut self.client, &open.shard).await {
                Ok(_) => {}
                Err(failure) if failure.is("ResourceNotFoundException") => self.lost(&open.shard),
                Err(_) if self.world.rotten.get() => refused.push(open.shard),
                Err(failure) => self.world.violation(format!("{} cannot be read: {failure:?}", open.shard)),
            }
        }
        if self.world.rotten.get() {
            self.note_refused(refused);
        }
    }

    fn note_refused(&self, refused: Vec<ShardRef>) {
        let state = if refused.is_empty() { states::DAMAGE_HARMLESS } else { states::DAMAGE_REFUSED };
        self.world.trace.reached(state);
        self.world.refused.borrow_mut().extend(refused);
    }

    fn is_there(&self, shard: &ShardRef) -> bool {
        !self.world.shards_of(&shard.stream).is_empty()
    }

    fn lost(&self, shard: &ShardRef) {
        if self.is_there(shard) {
            self.world.violation(format!("invariant 1 in {shard}: the service says there is no such shard"));
        }
    }
}
