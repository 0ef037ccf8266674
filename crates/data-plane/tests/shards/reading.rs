use data_plane::Appended;
use futures_util::future::join_all;
use types::{GroupId, RecordNumber, TimestampMs};

use crate::world::{World, texts};

const SHARD: GroupId = GroupId(1);

/// Puts from many clients at once; returns what was acknowledged, by record number.
async fn put_many(life: &crate::world::Life, round: u32) -> Vec<(RecordNumber, TimestampMs, String)> {
    let put = async |client: u32| {
        let texts: Vec<String> =
            (0..1 + client % 4).map(|at| format!("{round}-{client}-{at}-{}", "x".repeat(900))).collect();
        let refs: Vec<&str> = texts.iter().map(String::as_str).collect();
        let Appended { first_record, arrival, accepted } = life.put(SHARD, &refs).await.unwrap();
        assert_eq!(accepted as usize, texts.len());
        (first_record.0..)
            .map(RecordNumber)
            .zip(texts)
            .map(|(number, text)| (number, arrival, text))
            .collect::<Vec<_>>()
    };
    let mut acked: Vec<_> = join_all((0..100).map(put)).await.into_iter().flatten().collect();
    acked.sort();
    acked
}

#[test]
fn what_was_acknowledged_is_read_back_after_power_losses_from_tail_and_segments() {
    let mut world = World::new();
    let mut acked = Vec::new();
    for round in 0..5 {
        let before = acked.clone();
        let more = world.live(async |life| {
            life.open(SHARD).await;
            let read = life.read_all(SHARD, RecordNumber::FIRST).await;
            let found: Vec<_> =
                read.iter().zip(texts(&read)).map(|(read, text)| (read.number, read.arrival, text)).collect();
            assert_eq!(found, before, "at start {round}");
            // Lives here take no virtual time otherwise, and the flusher first makes its spare files.
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            let more = put_many(&life, round).await;
            let entries = life.telemetry.put_entry_batches.get_sample_count();
            assert!(entries < 60, "{entries} entries for 100 puts at once: they did not gather");
            assert_eq!(life.read_all(SHARD, more[7].0).await.len(), more.len() - 7);
            more
        });
        acked.extend(more);
        assert!(acked.iter().map(|(number, ..)| number.0).eq(1..=acked.len() as u64), "numbers without a hole");
    }
    let flushed = world.live(async |life| life.telemetry.segments.get().max(life.journal.groups().len() as i64));
    assert!(flushed > 0);
    assert!(world.disk.files().keys().any(|name| name.ends_with(".segment")), "the test never left the tail");
}

#[test]
fn an_acknowledged_put_is_readable_at_once_and_latest_lies_behind_it() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        for number in 1..20 {
            let put = life.put(SHARD, &["a"]).await.unwrap();
            assert_eq!(put.first_record.0, number);
            let positions = life.plane.position(SHARD).unwrap();
            assert_eq!((positions.trim_horizon.0, positions.latest.0), (1, number + 1));
            let read = life.plane.read(SHARD, put.first_record, 10, 10_000).await.unwrap();
            assert_eq!((read.records.len(), read.next.0, read.millis_behind), (1, number + 1, 0));
            assert!(!read.ended);
        }
        let at_tip = life.plane.read(SHARD, RecordNumber(20), 10, 10_000).await.unwrap();
        assert_eq!((at_tip.records.len(), at_tip.next.0, at_tip.millis_behind), (0, 20, 0));
    });
}

#[test]
fn a_reader_behind_the_tip_is_told_how_far() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        life.put(SHARD, &["a", "b"]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(40)).await;
        let read = life.plane.read(SHARD, RecordNumber(1), 1, 10_000).await.unwrap();
        assert!((40_000..41_000).contains(&read.millis_behind), "{}", read.millis_behind);
        assert_eq!(life.plane.read(SHARD, RecordNumber(2), 1, 10_000).await.unwrap().millis_behind, 0);
    });
}

#[test]
fn a_moment_leads_to_the_first_record_that_arrived_then_or_later() {
    World::new().live(async |life| {
        life.open(SHARD).await;
        let empty = life.plane.seek_arrival(SHARD, TimestampMs(1)).await.unwrap();
        assert_eq!(empty, RecordNumber::FIRST);
        let mut puts = Vec::new();
        for _ in 0..6 {
            puts.push(life.put(SHARD, &["a", "b", "c"]).await.unwrap());
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        }
        for put in &puts {
            assert_eq!(life.plane.seek_arrival(SHARD, put.arrival).await.unwrap(), put.first_record);
            let later = life.plane.seek_arrival(SHARD, TimestampMs(put.arrival.0 + 1)).await.unwrap();
            assert_eq!(later.0, put.first_record.0 + 3);
        }
    });
}

#[test]
fn arrival_never_runs_backwards_when_the_clock_does() {
    let mut world = World::new();
    let before = world.live(async |life| {
        life.open(SHARD).await;
        let first = life.put(SHARD, &["a"]).await.unwrap().arrival;
        life.clock.jump_ms(-3_600_000);
        assert_eq!(life.put(SHARD, &["b"]).await.unwrap().arrival, first);
        first
    });
    world.live(async |life| {
        life.open(SHARD).await;
        assert_eq!(life.put(SHARD, &["c"]).await.unwrap().arrival, before, "after a restart either");
    });
}
