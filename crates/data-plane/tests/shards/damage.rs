use data_plane::{AppendError, Error, ReadError};
use types::{GroupId, RecordNumber};

use crate::world::{Life, REPLICA, World, spec};

const ONE: GroupId = GroupId(1);
const TWO: GroupId = GroupId(2);

/// Two shards with the same records, most of them in segments; returns the segments' names.
fn two_shards(world: &mut World) -> Vec<String> {
    world.journal.tail_budget_bytes = 200 << 10;
    world.live(async |life| {
        life.open(ONE).await;
        life.open(TWO).await;
        let text = "x".repeat(8_000);
        for _ in 0..40 {
            life.put(ONE, &[&text]).await.unwrap();
            life.put(TWO, &[&text]).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        life.journal.close().await;
    });
    world.disk.files().into_keys().filter(|name| name.ends_with(".segment")).collect()
}

#[test]
fn a_rotten_record_is_never_given_and_only_its_shard_stops_serving() {
    let mut world = World::new();
    let segments = two_shards(&mut world);
    let disk = world.disk.clone();
    world.live(async |life| {
        life.open(ONE).await;
        life.open(TWO).await;
        // Extents are sorted by group, so the first of the first segment is that of the first shard.
        assert!(disk.rot(&segments[0], 20_000), "no byte to rot in {segments:?}");
        let mut next = RecordNumber(1);
        let error = loop {
            match life.plane.read(ONE, next, 5, 1 << 20).await {
                Ok(page) if page.records.is_empty() => panic!("the damage was not met"),
                Ok(page) => {
                    assert!(page.records.iter().all(|read| read.record.data.iter().all(|byte| *byte == b'x')));
                    next = page.next;
                }
                Err(error) => break error,
            }
        };
        assert!(matches!(error, ReadError::Corrupt(_)), "{error}");
        only_the_second_serves(&life).await;
    });
}

#[test]
fn a_shard_whose_log_is_rotten_at_the_start_answers_so_and_others_open() {
    let mut world = World::new();
    let segments = two_shards(&mut world);
    // The first bytes of an extent are what the group reads when it is opened.
    for offset in (4_096..40_000).step_by(1_000) {
        world.disk.rot(&segments[0], offset);
    }
    world.live(async |life| {
        let error = life.plane.open_shard(spec(ONE)).await.unwrap_err();
        assert!(matches!(error, Error::Corrupt { group: ONE, .. }), "{error}");
        let again = life.plane.open_shard(spec(ONE)).await.unwrap_err();
        assert!(matches!(again, Error::Corrupt { group: ONE, .. }), "{again}");
        life.open(TWO).await;
        only_the_second_serves(&life).await;
    });
}

async fn only_the_second_serves(life: &Life) {
    assert!(matches!(life.put(ONE, &["a"]).await, Err(AppendError::Corrupt(_))));
    assert!(matches!(life.plane.position(ONE), Err(ReadError::Corrupt(_))));
    assert_eq!(life.read_all(TWO, RecordNumber(1)).await.len(), 40);
    assert!(life.put(TWO, &["a"]).await.is_ok());
    life.plane.drop_shard(ONE, REPLICA).await.unwrap();
    assert_eq!(life.plane.position(ONE), Err(ReadError::UnknownShard), "a damaged shard can be dropped");
}
