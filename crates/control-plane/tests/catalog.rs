//! The control plane over a real journal and Raft group, on a disk that loses power, with a host that only notes what it is told.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::time::Duration;

use catalog_state::{CatalogCommand, CatalogError, CatalogReply, RetentionChange, StreamStatus};
use control_plane::{Error, HostError, Options};
use env::sim::Latency;
use journal::Vote;
use support::{Host, World, create, delete, name, options, status, until};
use types::{GroupId, TimestampMs};

const DAY_MS: u64 = 86_400_000;

#[test]
fn the_first_start_gives_an_identity_that_every_later_start_finds() {
    let world = World::new();
    let first = world.life(|node| async move {
        let (_, plane) = node.open(&Host::default()).await;
        plane.cluster().clone()
    });
    let second = world.life(|node| async move {
        let (_, plane) = node.open(&Host::default()).await;
        plane.cluster().clone()
    });
    assert_eq!(first, second);
    assert_ne!(first.iterator_key, [0; 32]);
    let other = World::new_with_seed(99).life(|node| async move {
        let (_, plane) = node.open(&Host::default()).await;
        plane.cluster().clone()
    });
    assert_ne!((first.id, first.iterator_key), (other.id, other.iterator_key));
}

#[test]
fn whoever_created_a_stream_finds_it_at_once_and_it_becomes_active() {
    World::new().life(|node| async move {
        let host = Host::default();
        let (_, plane) = node.open(&host).await;
        assert_eq!(plane.propose(create("flights", 3)).await.unwrap(), CatalogReply::Created { id: 1 });
        assert!(plane.catalog().stream(&name("flights")).is_some());
        until(&plane, |catalog| status(catalog, "flights") == Some(StreamStatus::Active)).await;
        assert_eq!(host.running(), [(1, DAY_MS), (2, DAY_MS), (3, DAY_MS)]);
        let again = plane.propose(create("flights", 3)).await.unwrap();
        assert_eq!(again, CatalogReply::Refused(CatalogError::AlreadyExists));
    });
}

#[test]
fn after_power_loss_every_shard_runs_again_before_the_node_is_ready() {
    let world = World::new();
    world.life(|node| async move {
        let (_, plane) = node.open(&Host::default()).await;
        plane.propose(create("flights", 40)).await.unwrap();
        until(&plane, |catalog| status(catalog, "flights") == Some(StreamStatus::Active)).await;
        let command =
            CatalogCommand::SetRetention { name: name("flights"), hours: 48, direction: RetentionChange::Increase };
        assert_eq!(plane.propose(command).await.unwrap(), CatalogReply::Done);
    });
    world.life(|node| async move {
        let host = Host::default();
        let (_, plane) = node.open(&host).await;
        plane.wait_ready().await;
        assert_eq!(host.running(), (1..=40).map(|group| (group, 2 * DAY_MS)).collect::<Vec<_>>());
        assert!((2..=16).contains(&host.most_at_once()), "{} at once", host.most_at_once());
    });
}

#[test]
fn a_new_retention_reaches_the_shards() {
    World::new().life(|node| async move {
        let host = Host::default();
        let (_, plane) = node.open(&host).await;
        plane.propose(create("flights", 2)).await.unwrap();
        until(&plane, |catalog| status(catalog, "flights") == Some(StreamStatus::Active)).await;
        let command =
            CatalogCommand::SetRetention { name: name("flights"), hours: 72, direction: RetentionChange::Increase };
        plane.propose(command).await.unwrap();
        host.until(|host| host.running() == [(1, 3 * DAY_MS), (2, 3 * DAY_MS)]).await;
    });
}

#[test]
fn a_deleted_streams_groups_go_and_its_name_is_free_even_if_the_node_dies_in_between() {
    let world = World::new();
    world.life(|node| async move {
        let host = Host::default();
        let (_, plane) = node.open(&host).await;
        plane.propose(create("flights", 2)).await.unwrap();
        until(&plane, |catalog| status(catalog, "flights") == Some(StreamStatus::Active)).await;
        // What the data plane would have stored.
        for group in [1, 2] {
            let vote = Vote { term: 1, node: 1, committed: true };
            node.journal().group(GroupId(group)).unwrap().save_vote(vote).await.unwrap();
        }
        host.fail_drops();
        plane.propose(delete("flights")).await.unwrap();
        host.until(|host| host.failed_drops() >= 2).await;
        assert_eq!(status(&plane.catalog(), "flights"), Some(StreamStatus::Deleting));
    });
    world.life(|node| async move {
        let (_, plane) = node.open(&Host::default()).await;
        until(&plane, |catalog| catalog.stream(&name("flights")).is_none()).await;
        assert_eq!(node.journal().groups(), [GroupId::CATALOG]);
        assert_eq!(plane.propose(create("flights", 1)).await.unwrap(), CatalogReply::Created { id: 2 });
    });
}

#[test]
fn a_damaged_shard_does_not_keep_the_others_from_running() {
    let world = World::new();
    world.life(|node| async move {
        let (_, plane) = node.open(&Host::default()).await;
        plane.propose(create("flights", 3)).await.unwrap();
        until(&plane, |catalog| status(catalog, "flights") == Some(StreamStatus::Active)).await;
    });
    world.life(|node| async move {
        let host = Host::default();
        host.refuse(2, HostError::Damaged("rot".into()), usize::MAX);
        let (_, plane) = node.open(&host).await;
        plane.wait_ready().await;
        assert_eq!(host.running(), [(1, DAY_MS), (3, DAY_MS)]);
        assert_eq!(plane.propose(create("trains", 1)).await.unwrap(), CatalogReply::Created { id: 2 });
        until(&plane, |catalog| status(catalog, "trains") == Some(StreamStatus::Active)).await;
        assert_eq!(host.tries(2), 1, "damage does not pass by trying again");
    });
}

#[test]
fn what_fails_for_a_while_is_tried_until_it_works() {
    World::new().life(|node| async move {
        let host = Host::default();
        host.refuse(2, HostError::Failed("not yet".into()), 3);
        let (_, plane) = node.open(&host).await;
        plane.propose(create("flights", 3)).await.unwrap();
        until(&plane, |catalog| status(catalog, "flights") == Some(StreamStatus::Active)).await;
        assert_eq!((host.tries(1), host.tries(2)), (1, 4));
    });
}

#[test]
fn groups_that_the_catalog_does_not_know_are_dropped_once_it_is_caught_up() {
    let world = World::new();
    world.life(|node| async move {
        let (journal, plane) = node.open(&Host::default()).await;
        for stream in ["flights", "gone"] {
            plane.propose(create(stream, 1)).await.unwrap();
            until(&plane, |catalog| status(catalog, stream) == Some(StreamStatus::Active)).await;
        }
        plane.propose(delete("gone")).await.unwrap();
        until(&plane, |catalog| status(catalog, "gone").is_none()).await;
        for group in [1, 2] {
            let vote = Vote { term: 1, node: 1, committed: true };
            journal.group(GroupId(group)).unwrap().save_vote(vote).await.unwrap();
        }
    });
    world.life(|node| async move {
        let (journal, plane) = node.open(&Host::default()).await;
        plane.wait_ready().await;
        assert_eq!(journal.groups(), [GroupId::CATALOG, GroupId(1)]);
    });
}

#[test]
fn a_catalog_that_is_older_than_the_shards_is_refused_and_nothing_is_dropped() {
    let world = World::new();
    world.life(|node| async move {
        let (journal, plane) = node.open(&Host::default()).await;
        plane.propose(create("flights", 1)).await.unwrap();
        let vote = Vote { term: 1, node: 1, committed: true };
        // As if the entry that made it had vanished.
        journal.group(GroupId(2)).unwrap().save_vote(vote).await.unwrap();
    });
    world.life(|node| async move {
        let opened = node.try_open(&Host::default(), options()).await;
        assert!(
            matches!(opened, Err(Error::CatalogOlder { newest: GroupId(2), next: GroupId(2) })),
            "{:?}",
            opened.err()
        );
        assert!(node.journal().groups().contains(&GroupId(2)));
    });
}

#[test]
fn shards_without_a_catalog_are_never_taken_for_strangers() {
    let world = World::new();
    world.life(|node| async move {
        let vote = Vote { term: 1, node: 1, committed: true };
        node.open_journal().await.group(GroupId(5)).unwrap().save_vote(vote).await.unwrap();
    });
    world.life(|node| async move {
        let opened = node.try_open(&Host::default(), options()).await;
        assert!(matches!(opened, Err(Error::CatalogLost { groups: 1 })), "{:?}", opened.err());
        assert!(node.journal().groups().contains(&GroupId(5)));
    });
}

#[test]
fn the_log_is_compacted_as_it_grows_and_a_restart_finds_the_same_catalog() {
    let world = World::new();
    let options = || Options { compact_after: 10, ..options() };
    let before = world.life(|node| async move {
        let (journal, plane) = node.try_open(&Host::default(), options()).await.unwrap();
        for n in 0..40 {
            plane.propose(create(&format!("stream-{n}"), 1)).await.unwrap();
        }
        until(&plane, |catalog| catalog.streams().all(|stream| stream.status == StreamStatus::Active)).await;
        let log = journal.group(GroupId::CATALOG).unwrap();
        while log.purged().is_none_or(|purged| purged.index < 60) {
            tokio::task::yield_now().await;
        }
        assert!(log.snapshot().is_some());
        plane.catalog()
    });
    let after = world.life(|node| async move {
        let (journal, plane) = node.try_open(&Host::default(), options()).await.unwrap();
        let log = journal.group(GroupId::CATALOG).unwrap();
        let kept = log.read(0..u64::MAX, u64::MAX).await.unwrap();
        assert!(kept.len() < 30, "{} entries kept", kept.len());
        plane.catalog()
    });
    assert_eq!(before.streams().collect::<Vec<_>>(), after.streams().collect::<Vec<_>>());
    assert_eq!(before.cluster(), after.cluster());
}

#[test]
fn a_command_on_a_stuck_disk_is_unknown_after_the_deadline() {
    World::new().life(|node| async move {
        let (_, plane) = node.open(&Host::default()).await;
        let stuck = Duration::from_secs(3_600);
        node.disk.change_plan(|plan| plan.sync_latency = Latency { min: stuck, max: stuck });
        let result = plane.propose(create("flights", 1)).await;
        assert!(matches!(result, Err(Error::Unknown(_))), "{result:?}");
    });
}

#[test]
fn closing_ends_the_loops_and_leaves_everything_for_the_next_start() {
    let world = World::new();
    world.life(|node| async move {
        let host = Host::default();
        host.refuse(1, HostError::Failed("never".into()), usize::MAX);
        let (_, plane) = node.open(&host).await;
        plane.propose(create("flights", 1)).await.unwrap();
        host.until(|host| host.tries(1) > 0).await;
        plane.close().await;
        let tries = host.tries(1);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(host.tries(1), tries);
        assert!(plane.propose(delete("flights")).await.is_err());
    });
    world.life(|node| async move {
        let (_, plane) = node.open(&Host::default()).await;
        until(&plane, |catalog| status(catalog, "flights") == Some(StreamStatus::Active)).await;
        let created = plane.catalog().stream(&name("flights")).map(|stream| stream.created);
        assert_eq!(created, Some(TimestampMs(1_000)));
    });
}
