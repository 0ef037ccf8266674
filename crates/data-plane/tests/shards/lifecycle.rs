use data_plane::{AppendError, Error, ReadError, ShardSpec};
use futures_util::future::join_all;
use shard_state::ShardIdentity;
use types::{GroupId, RecordNumber, ShardId};

use crate::world::{REPLICA, World, spec};

const ONE: GroupId = GroupId(1);
const TWO: GroupId = GroupId(2);

#[test]
fn a_dropped_shard_is_gone_for_good_and_others_stay() {
    let mut world = World::new();
    world.live(async |life| {
        life.open(ONE).await;
        life.open(TWO).await;
        life.put(ONE, &["a"]).await.unwrap();
        life.put(TWO, &["b"]).await.unwrap();
        life.plane.drop_shard(ONE, REPLICA).await.unwrap();
        life.plane.drop_shard(ONE, REPLICA).await.unwrap();
        assert_eq!(life.put(ONE, &["c"]).await, Err(AppendError::UnknownShard));
        assert_eq!(life.plane.position(ONE), Err(ReadError::UnknownShard));
        assert_eq!(life.telemetry.shards_open.get(), 1);
    });
    world.live(async |life| {
        assert_eq!(life.journal.groups(), [TWO]);
        life.open(TWO).await;
        assert_eq!(life.read_all(TWO, RecordNumber(1)).await.len(), 1);
    });
}

#[test]
fn opening_an_open_shard_changes_nothing() {
    World::new().live(async |life| {
        life.open(ONE).await;
        life.put(ONE, &["a"]).await.unwrap();
        life.open(ONE).await;
        assert_eq!(life.put(ONE, &["b"]).await.unwrap().first_record, RecordNumber(2));
        assert_eq!(life.telemetry.raft_groups_open.get(), 1);
    });
}

#[test]
fn two_who_open_the_same_shard_at_once_get_one_shard() {
    World::new().live(async |life| {
        let results = join_all((0..3).map(|_| life.plane.open_shard(spec(ONE)))).await;
        let busy = results.iter().filter(|result| matches!(result, Err(Error::Busy(ONE)))).count();
        assert_eq!((results.iter().filter(|result| result.is_ok()).count(), busy), (1, 2));
        assert!(life.put(ONE, &["a"]).await.is_ok());
    });
}

#[test]
fn an_opening_that_is_abandoned_can_be_repeated() {
    World::new().live(async |life| {
        let abandoned = tokio::time::timeout(std::time::Duration::ZERO, life.plane.open_shard(spec(ONE))).await;
        assert!(abandoned.is_err());
        assert_eq!(life.plane.position(ONE), Err(ReadError::UnknownShard));
    });
}

#[test]
fn closing_answers_what_is_in_flight_and_takes_nothing_new() {
    let mut world = World::new();
    let acked = world.live(async |life| {
        life.open(ONE).await;
        life.open(TWO).await;
        let puts = join_all((0..40).map(|at| life.put(GroupId(1 + at % 2), &["a"])));
        let close = async {
            tokio::task::yield_now().await;
            life.plane.close().await;
        };
        let (results, ()) = tokio::join!(puts, close);
        let acked = results.iter().filter(|result| result.is_ok()).count();
        assert!(
            acked > 0 && results.iter().all(|result| !matches!(result, Err(AppendError::Unknown(_)))),
            "{results:?}"
        );
        assert!(matches!(
            life.put(ONE, &["b"]).await,
            Err(AppendError::Unavailable(_) | AppendError::NotLeader { .. })
        ));
        assert!(matches!(life.plane.open_shard(spec(GroupId(3))).await, Err(Error::Closed)));
        life.journal.close().await;
        acked
    });
    world.live(async |life| {
        life.open(ONE).await;
        life.open(TWO).await;
        let found = life.read_all(ONE, RecordNumber(1)).await.len() + life.read_all(TWO, RecordNumber(1)).await.len();
        assert_eq!(found, acked);
    });
}

#[test]
fn a_group_that_holds_another_shard_is_refused() {
    let mut world = World::new();
    world.journal.flush_bytes = 1;
    world.live(async |life| {
        life.open(ONE).await;
        for _ in 0..20 {
            life.put(ONE, &["a"]).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        life.journal.close().await;
    });
    world.live(async |life| {
        let identity = ShardIdentity { shard: ShardId(5), created_sec: 1 };
        let error = life.plane.open_shard(ShardSpec { identity, ..spec(ONE) }).await.unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
        assert!(matches!(life.put(ONE, &["b"]).await, Err(AppendError::Corrupt(_))));
    });
}
