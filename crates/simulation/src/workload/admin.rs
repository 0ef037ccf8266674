//! The administrator: creates streams, changes their retention, deletes them. What has no clear answer is asked for until it has.

use std::rc::Rc;

use oracle::{Event, ShardRef};
use serde_json::{Value, json};
use types::StreamName;

use super::audit;
use crate::client::{Client, Failure};
use crate::dice::Dice;
use crate::plan::{ClusterPlan, HOUR_MS, Scenario};
use crate::states;
use crate::world::{OpenShard, Phase, World, pause};

/// Pause between two tries.
const TRY_AGAIN_MS: u64 = 100;

pub(crate) struct Admin {
    client: Client,
    world: Rc<World>,
    dice: Dice,
    main: StreamName,
    retention_hours: u64,
    sides: u64,
}

impl Admin {
    pub(crate) fn new(world: &Rc<World>, main: StreamName) -> Self {
        let dice = Dice::new(world.plan.seed, "admin");
        let client = Client::new("admin".into(), Rc::clone(world));
        Self { client, world: Rc::clone(world), dice, main, retention_hours: 24, sides: 0 }
    }

    /// Makes the main stream, then goes on until the faults are over.
    pub(crate) async fn run(mut self) {
        let shards = self.world.plan.workload.shards;
        if self.world.plan.scenario == Scenario::Rot && self.world.plan.cluster.nodes > 1 {
            // What rots must have other copies.
            pause(ClusterPlan::JOINED_MS).await;
        }
        self.create(self.main.clone(), shards).await;
        while self.world.phase() == Phase::Faults {
            pause(self.dice.between(100, 1_500)).await;
            if self.world.plan.workload.side_streams && self.dice.percent(40) {
                self.come_and_go().await;
            }
            if self.world.plan.workload.retention_changes && self.dice.percent(30) {
                self.change_retention().await;
            }
        }
    }

    async fn create(&mut self, stream: StreamName, shards: u32) {
        let name = stream.as_str();
        let request = json!({ "StreamName": name, "ShardCount": shards });
        loop {
            match self.client.call("CreateStream", &request).await {
                Ok(_) => break,
                // An earlier try may have succeeded.
                Err(failure) if failure.is("ResourceInUseException") => break,
                Err(failure) if failure.is_final() => {
                    return self.world.violation(format!("{name} is not created: {failure:?}"));
                }
                Err(_) => pause(TRY_AGAIN_MS).await,
            }
        }
        let open = loop {
            match self.describe(&stream).await {
                Ok(description) if description["StreamStatus"] == "ACTIVE" => break shards_of(&stream, &description),
                Err(failure) if failure.is("ResourceNotFoundException") => {
                    return self.world.violation(format!("{name} was created and is not found"));
                }
                _ => pause(TRY_AGAIN_MS).await,
            }
        };
        if open.len() != shards as usize {
            self.world.violation(format!("{name} has {} shards instead of {shards}", open.len()));
        }
        self.world.add_stream(stream, open);
    }

    async fn describe(&mut self, stream: &StreamName) -> Result<Value, Failure> {
        let reply = self.client.call("DescribeStream", &json!({ "StreamName": stream.as_str() })).await?;
        Ok(reply["StreamDescription"].clone())
    }

    async fn come_and_go(&mut self) {
        self.sides += 1;
        let Ok(side) = StreamName::parse(&format!("side-{}", self.sides)) else { return };
        let shards = self.dice.between(1, 2) as u32;
        self.create(side.clone(), shards).await;
        pause(self.dice.between(100, 2_000)).await;
        if self.dice.percent(60) {
            self.delete(side).await;
        }
    }

    /// Deletes a stream, after a last look at what is in it.
    async fn delete(&mut self, stream: StreamName) {
        let shards = self.world.shards_of(&stream);
        self.world.remove_stream(&stream);
        // Puts that are under way are answered first: nobody looks at their records afterwards.
        pause(5_000).await;
        for shard in shards {
            while audit::read_completely(&mut self.client, &shard.shard).await.is_err() {
                pause(TRY_AGAIN_MS).await;
            }
        }
        let mut asked = false;
        loop {
            match self.client.call("DeleteStream", &json!({ "StreamName": stream.as_str() })).await {
                Err(failure) if failure.is("ResourceNotFoundException") && asked => break,
                Err(failure) if failure.is_final() && !failure.is("ResourceInUseException") => {
                    return self.world.violation(format!("{stream} is not deleted: {failure:?}"));
                }
                _ => asked = true,
            }
            pause(TRY_AGAIN_MS).await;
        }
        self.world.trace.reached(states::STREAM_DELETED);
    }

    async fn change_retention(&mut self) {
        let choices: Vec<u64> = [24, 25, 27, 36].into_iter().filter(|hours| *hours != self.retention_hours).collect();
        let hours = self.dice.pick(&choices);
        let operation = match hours > self.retention_hours {
            true => "IncreaseStreamRetentionPeriod",
            false => "DecreaseStreamRetentionPeriod",
        };
        let request = json!({ "StreamName": self.main.as_str(), "RetentionPeriodHours": hours });
        let asked_at = self.world.now_ms();
        loop {
            match self.client.call(operation, &request).await {
                Ok(_) => break,
                // It is what it shall be already, if an earlier try succeeded.
                Err(failure) if failure.is_final() => {
                    let described = self.describe(&self.main.clone()).await;
                    if described.is_ok_and(|description| description["RetentionPeriodHours"] == hours) {
                        break;
                    }
                }
                Err(_) => {}
            }
            pause(TRY_AGAIN_MS).await;
        }
        self.retention_hours = hours;
        self.world.trace.reached(states::RETENTION_CHANGED);
        let (stream, at) = (self.main.clone(), self.world.now_ms());
        self.world.record(Event::RetentionSet { stream, retention_ms: hours * HOUR_MS, asked_at, at });
    }
}

fn shards_of(stream: &StreamName, description: &Value) -> Vec<OpenShard> {
    let shards = description["Shards"].as_array().map(Vec::as_slice).unwrap_or_default();
    let open = shards.iter().filter_map(|shard| {
        Some(OpenShard {
            shard: ShardRef { stream: stream.clone(), shard: shard["ShardId"].as_str()?.parse().ok()? },
            hash_key: shard["HashKeyRange"]["StartingHashKey"].as_str()?.to_owned(),
        })
    });
    open.collect()
}
