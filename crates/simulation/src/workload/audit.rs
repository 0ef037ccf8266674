//! Reads shards completely, for the oracle.

use std::rc::Rc;

use oracle::{Event, ReadRecord, ShardRef};
use serde_json::{Value, json};
use types::StreamName;

use crate::client::{Client, Failure};
use crate::dice::Dice;
use crate::payload;
use crate::world::{Phase, World, pause};

/// Failed calls in a row before a complete read is given up.
const FAILURES_MAX: u32 = 8;
/// A shard from which much was read refuses reads for some seconds; then it is left alone for so long before each further try.
const THROTTLED_PAUSE_MS: u64 = 1_000;

/// Why a shard could not be read completely.
pub(crate) type Gap = Failure;

/// Reads all of a shard, from its trim horizon to its tip, and records it.
pub(crate) async fn read_completely(client: &mut Client, shard: &ShardRef) -> Result<usize, Gap> {
    let world = Rc::clone(&client.world);
    let started_at = world.now_ms();
    let mut records = Vec::new();
    let mut iterator = insist(client, "GetShardIterator", &horizon_of(shard)).await?["ShardIterator"].clone();
    loop {
        let reply = insist(client, "GetRecords", &json!({ "ShardIterator": iterator })).await?;
        let batch = records_of(&reply);
        let at_tip = batch.is_empty() && reply["MillisBehindLatest"] == 0;
        records.extend(batch);
        iterator = reply["NextShardIterator"].clone();
        if at_tip || iterator.is_null() {
            break;
        }
    }
    let count = records.len();
    world.record(Event::FinalRead { shard: shard.clone(), records, started_at, at: world.now_ms() });
    Ok(count)
}

fn horizon_of(shard: &ShardRef) -> Value {
    json!({
        "StreamName": shard.stream.as_str(),
        "ShardId": shard.shard.to_string(),
        "ShardIteratorType": "TRIM_HORIZON",
    })
}

/// The records of a GetRecords reply.
pub(crate) fn records_of(reply: &Value) -> Vec<ReadRecord> {
    let records = reply["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    records.iter().filter_map(record_of).collect()
}

fn record_of(record: &Value) -> Option<ReadRecord> {
    let number = record["SequenceNumber"].as_str()?.parse().ok()?;
    let data = base64_simd::STANDARD.decode_to_vec(record["Data"].as_str()?).ok()?;
    Some(ReadRecord { number, payload: payload::decode(&data) })
}

/// Calls again where another try may help.
async fn insist(client: &mut Client, operation: &str, request: &Value) -> Result<Value, Gap> {
    let mut failures = 0;
    loop {
        match client.call(operation, request).await {
            Ok(reply) => return Ok(reply),
            Err(failure) if failure.is_final() || failures == FAILURES_MAX => return Err(failure),
            Err(failure) => {
                failures += 1;
                let throttled = failure.is("ProvisionedThroughputExceededException");
                pause(if throttled { THROTTLED_PAUSE_MS } else { 250 }).await;
            }
        }
    }
}

/// Reads everything now and then while faults happen.
pub(crate) async fn run(world: Rc<World>, main: StreamName) {
    let mut dice = Dice::new(world.plan.seed, "auditor");
    let mut client = Client::new("auditor".into(), Rc::clone(&world));
    while world.phase() == Phase::Faults {
        pause(dice.between(200, 2_000)).await;
        for shard in world.shards_of(&main) {
            // A read that fails under faults is no complete read, and proves nothing.
            let _ = read_completely(&mut client, &shard.shard).await;
        }
    }
}
