use std::time::Duration;

use types::{GroupId, RecordNumber};

use crate::world::{DAY_MS, HOUR, Life, World};

const SHARD: GroupId = GroupId(1);

async fn horizon(life: &Life) -> u64 {
    life.plane.position(SHARD).unwrap().trim_horizon.0
}

#[test]
fn records_go_when_their_retention_has_passed_and_the_rest_survives_a_restart() {
    let mut world = World::new();
    world.live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["a", "b"]).await.unwrap();
        tokio::time::sleep(12 * HOUR).await;
        life.put(SHARD, &["c"]).await.unwrap();
        tokio::time::sleep(12 * HOUR - Duration::from_secs(60)).await;
        assert_eq!(horizon(&life).await, 1);
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(horizon(&life).await, 3);
        let read = life.plane.read(SHARD, RecordNumber(1), 10, 1_000).await.unwrap();
        assert_eq!((read.records[0].number, read.records.len()), (RecordNumber(3), 1), "it starts at the trim point");
        assert_eq!(life.telemetry.trims.get(), 1);
        let log = life.journal.group(SHARD).unwrap();
        assert!(log.purged().is_some() && log.purged() == log.snapshot().map(|snapshot| snapshot.log_id));
    });
    world.live(async |life| {
        life.open(SHARD).await;
        assert_eq!(horizon(&life).await, 3);
        assert_eq!(life.put(SHARD, &["d"]).await.unwrap().first_record, RecordNumber(4));
        tokio::time::sleep(13 * HOUR).await;
        assert_eq!(horizon(&life).await, 4);
        tokio::time::sleep(12 * HOUR).await;
        assert_eq!(horizon(&life).await, 5, "all are gone");
        assert_eq!(life.put(SHARD, &["e"]).await.unwrap().first_record, RecordNumber(5));
        let trims = life.telemetry.journal_frames.get();
        tokio::time::sleep(HOUR).await;
        assert_eq!(life.telemetry.journal_frames.get(), trims, "a shard where nothing is due writes nothing");
    });
    world.live(async |life| {
        life.open(SHARD).await;
        assert_eq!(life.read_all(SHARD, RecordNumber(1)).await.len(), 1);
    });
}

#[test]
fn a_clock_that_jumps_ahead_a_week_trims_nothing_early() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["a"]).await.unwrap();
        tokio::time::sleep(HOUR).await;
        life.clock.jump_ms(7 * DAY_MS as i64);
        tokio::time::sleep(22 * HOUR).await;
        assert_eq!(horizon(&life).await, 1);
        tokio::time::sleep(2 * HOUR).await;
        assert_eq!(horizon(&life).await, 2, "and in time it goes");
    });
}

#[test]
fn a_shorter_retention_takes_effect_and_a_longer_one_too() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["a"]).await.unwrap();
        tokio::time::sleep(2 * HOUR).await;
        life.put(SHARD, &["b"]).await.unwrap();
        life.plane.set_retention(SHARD, 3_600_000);
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(horizon(&life).await, 2);
        life.plane.set_retention(SHARD, 7 * DAY_MS);
        tokio::time::sleep(48 * HOUR).await;
        assert_eq!(horizon(&life).await, 2);
    });
}

#[test]
fn nothing_is_trimmed_right_after_a_start_when_the_clock_may_still_be_wrong() {
    let mut world = World::new();
    world.live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["a"]).await.unwrap();
    });
    world.live(async |life| {
        life.clock.jump_ms(2 * DAY_MS as i64);
        life.open(SHARD).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        life.clock.set_skew_ms(0);
        tokio::time::sleep(HOUR).await;
        assert_eq!(horizon(&life).await, 1, "it is an hour old");
    });
}

#[cfg(feature = "planted-bugs")]
#[test]
fn the_planted_early_trim_is_seen() {
    use types::planted::{Bug, plant};

    plant(Some(Bug::EarlyTrim));
    let trimmed = World::new().live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["a"]).await.unwrap();
        tokio::time::sleep(23 * HOUR + Duration::from_secs(60)).await;
        horizon(&life).await
    });
    plant(None);
    assert_eq!(trimmed, 2);
}

#[cfg(feature = "planted-bugs")]
#[test]
fn the_planted_reuse_of_numbers_is_seen() {
    use types::planted::{Bug, plant};

    let mut world = World::new();
    let next = world.live(async |life| {
        life.open(SHARD).await;
        let text = "x".repeat(2_000);
        for _ in 0..200 {
            life.put(SHARD, &[&text]).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        life.journal.close().await;
        life.plane.position(SHARD).unwrap().latest.0
    });
    plant(Some(Bug::SequenceNumberReused));
    let reused = world.live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["again"]).await.unwrap().first_record.0
    });
    plant(None);
    assert!(reused < next, "{reused} is beyond {next}");
}
