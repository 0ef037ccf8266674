//! Requests that are tried again since nobody knew whether they had been carried out.

use std::num::NonZeroU64;
use std::time::Duration;

use data_plane::{AppendError, Appended, ShardLimits, ShardSpec};
use env::sim::Latency;
use futures_util::future::join_all;
use shard_state::RequestId;
use types::{GroupId, RecordNumber};

use crate::world::{Life, World, batch, spec, texts};

const SHARD: GroupId = GroupId(1);
const A_SECOND: Option<Duration> = Some(Duration::from_secs(1));

async fn put(life: &Life, id: u128, texts: &[&str], tried_for: Option<Duration>) -> Result<Appended, AppendError> {
    life.plane.append(SHARD, batch(texts).of_request(RequestId(id)), tried_for).await
}

#[test]
fn what_is_in_the_log_is_found_and_what_is_not_is_appended() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        let first = put(&life, 7, &["a", "b"], None).await.unwrap();
        assert_eq!(put(&life, 7, &["a", "b"], A_SECOND).await.unwrap(), first);
        let other = put(&life, 8, &["c"], A_SECOND).await.unwrap();
        assert_eq!(other.first_record, RecordNumber(3));
        assert_eq!(put(&life, 8, &["c"], A_SECOND).await.unwrap(), other);
        // An id alone says nothing: whoever does not ask gets what he asks for.
        assert_eq!(put(&life, 8, &["d"], None).await.unwrap().first_record, RecordNumber(4));
        assert_eq!(texts(&life.read_all(SHARD, RecordNumber(1)).await), ["a", "b", "c", "d"]);
    });
}

#[test]
fn each_of_many_puts_in_one_entry_is_found_by_itself() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        let all = |tried_for| join_all((0..40).map(|id| put(&life, id, &["x", "y"][..1 + id as usize % 2], tried_for)));
        let (life_ref, first) = (&life, all(None).await);
        assert_eq!(all(A_SECOND).await, first);
        assert_eq!(life_ref.read_all(SHARD, RecordNumber(1)).await.len(), 60);
        assert!(life_ref.telemetry.put_entry_batches.get_sample_count() < 40, "nothing was gathered");
    });
}

#[test]
fn a_request_is_found_after_a_restart_and_behind_a_flush() {
    let mut world = World::new();
    let text = "z".repeat(10_000);
    let first = world.live(async |life| {
        life.open(SHARD).await;
        let first = put(&life, 7, &["a"], None).await.unwrap();
        for id in 100..140 {
            put(&life, id, &[&text], None).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(life.telemetry.flushes.get() > 0, "it is still in the tail");
        first
    });
    world.live(async |life| {
        life.open(SHARD).await;
        assert_eq!(put(&life, 7, &["a"], A_SECOND).await.unwrap(), first);
        assert_eq!(life.read_all(SHARD, RecordNumber(1)).await.len(), 41);
    });
}

#[test]
fn a_request_of_which_a_part_was_throttled_is_found_with_its_part() {
    World::new().live(async |life| {
        let limits = ShardLimits { write_records_per_sec: NonZeroU64::new(2), ..ShardLimits::off() };
        life.plane.open_shard(ShardSpec { limits, ..spec(SHARD) }).await.unwrap();
        let first = put(&life, 7, &["a", "b", "c"], None).await.unwrap();
        assert_eq!(first.accepted, 2);
        // Nothing is left of the limit, and nothing is taken from it.
        assert_eq!(put(&life, 7, &["a", "b", "c"], A_SECOND).await.unwrap(), first);
    });
}

#[test]
fn a_repeat_that_waits_behind_the_slow_entry_of_its_first_try_finds_it() {
    let mut world = World::new();
    let disk = world.disk.clone();
    world.live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["before"]).await.unwrap();
        let slow = Duration::from_secs(8);
        disk.change_plan(|plan| plan.sync_latency = Latency { min: slow, max: slow });
        let first = put(&life, 7, &["a"], None);
        let again = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            put(&life, 7, &["a"], Some(Duration::from_millis(100))).await
        };
        let (first, again) = tokio::join!(first, again);
        disk.change_plan(|plan| plan.sync_latency = Latency::NONE);
        assert_eq!(again.unwrap(), first.unwrap());
        assert_eq!(texts(&life.read_all(SHARD, RecordNumber(1)).await), ["before", "a"]);
    });
}

#[test]
fn a_plane_closes_while_an_entry_is_stuck() {
    let mut world = World::new();
    let disk = world.disk.clone();
    world.live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["before"]).await.unwrap();
        let stuck = Duration::from_secs(36_000);
        disk.change_plan(|plan| plan.sync_latency = Latency { min: stuck, max: stuck });
        assert!(matches!(put(&life, 7, &["a"], None).await, Err(AppendError::Unknown(_))));
        let closed = tokio::time::timeout(Duration::from_secs(60), life.plane.close()).await;
        assert!(closed.is_ok(), "the plane does not close");
    });
}
