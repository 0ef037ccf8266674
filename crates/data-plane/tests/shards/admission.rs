use std::num::NonZeroU64;
use std::time::Duration;

use data_plane::{AppendError, ReadError, ShardLimits, ShardSpec};
use env::sim::Latency;
use futures_util::future::join_all;
use types::{GroupId, RecordNumber};

use crate::world::{World, batch, spec};

const SHARD: GroupId = GroupId(1);

#[test]
fn the_part_of_a_batch_beyond_the_write_limit_is_not_taken() {
    World::new().live(async |life| {
        let limits = ShardLimits { write_records_per_sec: NonZeroU64::new(5), ..ShardLimits::off() };
        life.plane.open_shard(ShardSpec { limits, ..spec(SHARD) }).await.unwrap();
        let put = life.put(SHARD, &["a", "b", "c"]).await.unwrap();
        assert_eq!(put.accepted, 3);
        let put = life.put(SHARD, &["d", "e", "f", "g"]).await.unwrap();
        assert_eq!((put.first_record, put.accepted), (RecordNumber(4), 2));
        assert_eq!(life.put(SHARD, &["f", "g"]).await, Err(AppendError::Throttled));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(life.put(SHARD, &["f", "g"]).await.unwrap().first_record, RecordNumber(6));
        assert_eq!(crate::world::texts(&life.read_all(SHARD, RecordNumber(1)).await).concat(), "abcdefg");
        assert_eq!(life.telemetry.put_throttled_records.get(), 4);
    });
}

#[test]
fn the_sixth_read_of_a_second_is_throttled() {
    World::new().live(async |life| {
        life.plane.open_shard(ShardSpec { limits: ShardLimits::aws(), ..spec(SHARD) }).await.unwrap();
        for _ in 0..5 {
            life.plane.read(SHARD, RecordNumber(1), 1, 1).await.unwrap();
        }
        assert_eq!(life.plane.read(SHARD, RecordNumber(1), 1, 1).await.err(), Some(ReadError::Throttled));
    });
}

#[test]
fn puts_beyond_the_queue_are_refused_at_once_and_the_others_are_written() {
    let mut world = World::new();
    world.options.shard_queue_bytes_max = 20_000;
    world.live(async |life| {
        life.open(SHARD).await;
        let text = "x".repeat(1_500);
        let texts = [text.as_str()];
        let results = join_all((0..50).map(|_| life.put(SHARD, &texts))).await;
        let taken = results.iter().filter(|result| result.is_ok()).count();
        let refused = results.iter().filter(|result| **result == Err(AppendError::Overloaded)).count();
        assert_eq!(taken + refused, 50, "{results:?}");
        assert!(taken >= 5 && refused >= 30, "{taken} taken, {refused} refused");
        assert_eq!(life.read_all(SHARD, RecordNumber(1)).await.len(), taken);
        assert_eq!(life.telemetry.put_queued_bytes.get(), 0);
        assert!(life.put(SHARD, &[&text]).await.is_ok(), "it passes by itself");
    });
}

#[test]
fn a_batch_that_no_entry_holds_is_refused() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        let text = "x".repeat(1 << 20);
        assert!(life.put(SHARD, &[text.as_str(); 2]).await.is_ok(), "larger than what is gathered, so alone");
        let error = life.put(SHARD, &[text.as_str(); 3]).await.unwrap_err();
        assert!(matches!(error, AppendError::TooLarge { .. }), "{error}");
    });
}

#[test]
fn puts_on_a_stuck_disk_are_answered_without_knowing_and_those_behind_them_refused() {
    let mut world = World::new();
    let disk = world.disk.clone();
    world.live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["before"]).await.unwrap();
        let stuck = Latency { min: Duration::from_secs(35), max: Duration::from_secs(35) };
        disk.change_plan(|plan| plan.sync_latency = stuck);
        let first = life.put(SHARD, &["in flight"]);
        let behind = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            life.put(SHARD, &["behind"]).await
        };
        let (first, behind) = tokio::join!(first, behind);
        assert!(matches!(first, Err(AppendError::Unknown(_))), "{first:?}");
        assert_eq!(behind, Err(AppendError::Overloaded));
        disk.change_plan(|plan| plan.sync_latency = Latency::NONE);
        tokio::time::sleep(Duration::from_secs(60)).await;
        life.put(SHARD, &["after"]).await.unwrap();
        let read = crate::world::texts(&life.read_all(SHARD, RecordNumber(1)).await);
        assert_eq!(read, ["before", "in flight", "after"]);
        assert_eq!(life.telemetry.put_queued_bytes.get(), 0);
    });
}

#[test]
fn readers_share_the_memory_they_may_hold() {
    let mut world = World::new();
    world.options.read_bytes_max = 100_000;
    world.live(async |life| {
        life.open(SHARD).await;
        let text = "x".repeat(2_000);
        for _ in 0..100 {
            life.put(SHARD, &[&text]).await.unwrap();
        }
        let first = life.plane.read(SHARD, RecordNumber(1), 10_000, 10 << 20).await.unwrap();
        assert!((1..100).contains(&first.records.len()), "what does not fit is left for the next read");
        let waiting = life.plane.read(SHARD, RecordNumber(1), 10, 10 << 20);
        let mut waiting = std::pin::pin!(waiting);
        let early = tokio::time::timeout(Duration::from_secs(1), &mut waiting).await;
        assert!(early.is_err(), "the first read holds the memory");
        drop(first);
        assert_eq!(waiting.await.unwrap().records.len(), 10);
        assert_eq!(life.telemetry.get_held_bytes.get(), 0);
    });
}

#[test]
fn an_empty_batch_is_no_entry() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        let put = life.plane.append(SHARD, batch(&[]), None).await.unwrap();
        assert_eq!((put.accepted, put.first_record), (0, RecordNumber(1)));
        assert_eq!(life.telemetry.put_entry_batches.get_sample_count(), 0);
    });
}
