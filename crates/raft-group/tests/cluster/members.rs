//! Replicas join, catch up and leave.

use std::time::Duration;

use journal::LogId;
use raft_group::{ChangeError, Membership};

use crate::machine::trim_to;
use crate::put_somewhere;
use crate::world::{self, World, replicas};

const ALL: [u64; 5] = [1, 2, 3, 4, 5];
const DEADLINE: Duration = Duration::from_secs(10);

/// Has whoever leads change the members, until that is done.
async fn change(world: &World, nodes: &[u64], voters: &'static [u64], learners: &'static [u64]) {
    loop {
        let leader = world.leader(nodes).await;
        let changed = world.on(leader, move |life| async move {
            let (voters, learners) = (replicas(voters.iter().copied()), replicas(learners.iter().copied()));
            life.group.change_members(&voters, &learners, DEADLINE).await
        });
        match changed.await {
            Ok(()) => return,
            Err(ChangeError::HandedOver { to }) => assert!(voters.contains(&to.0) && !voters.contains(&leader)),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn membership(world: &World, node: u64) -> Membership {
    world.on(node, |life| async move { life.group.membership() }).await
}

/// Has the leader trim the records before the `first`-th, and every replica drop what is before.
async fn trim(world: &World, leader: u64, first: u64) -> LogId {
    world.on(leader, move |life| async move { trim_to(&life.group, first).await }).await
}

#[test]
fn a_new_replica_gets_every_retained_record_and_takes_the_place_of_another() {
    for seed in 80..84 {
        world::run(seed, 4, 3, |world| async move {
            let leader = world.leader(&[1, 2, 3]).await;
            for n in 0..100 {
                world.put_on(leader, n).await.unwrap();
            }
            let at = trim(&world, leader, 40).await;
            for node in [1, 2, 3] {
                let applied =
                    || async { world.on(node, |life| async move { life.group.log().last() }).await > Some(at) };
                world.until("the trim is there", applied).await;
                world.on(node, |life| async move { life.group.compact().await }).await.unwrap();
            }
            let gone = [1, 2, 3].into_iter().find(|node| *node != leader).unwrap();
            let voters: &'static [u64] = match gone {
                1 => &[2, 3, 4],
                2 => &[1, 3, 4],
                _ => &[1, 2, 4],
            };
            change(&world, voters, voters, &[]).await;
            let members = membership(&world, leader).await;
            assert_eq!((members.voters, members.learners), (replicas(voters.iter().copied()), replicas([])));
            world.until("it has caught up", || async { world.records(4).await == (40..100).collect::<Vec<_>>() }).await;
            // Again is fine.
            change(&world, voters, voters, &[]).await;
            // The new one counts: without it and another there is no quorum, with it there is.
            let other = voters.iter().copied().find(|node| *node != leader && *node != 4).unwrap();
            world.crash(other).await;
            put_somewhere(&world, &[leader, 4], 100).await;
            world.crash(leader).await;
            world.restart(other).await;
            world.leader(&[other, 4]).await;
            put_somewhere(&world, &[other, 4], 101).await;
            world.until("all is there", || async { world.records(4).await == (40..102).collect::<Vec<_>>() }).await;
        });
    }
}

#[test]
fn a_group_grows_from_one_to_five_and_shrinks_again_while_it_is_used() {
    world::run(90, 5, 1, |world| async move {
        let mut n = 0;
        let steps: [(&'static [u64], &'static [u64]); 6] = [
            (&[1], &[2]),
            (&[1, 2, 3], &[]),
            (&[1, 2, 3, 4, 5], &[]),
            (&[3, 4, 5], &[1, 2]),
            (&[4], &[5]),
            (&[4], &[]),
        ];
        for (voters, learners) in steps {
            for _ in 0..10 {
                put_somewhere(&world, &ALL, n).await;
                n += 1;
            }
            change(&world, &ALL, voters, learners).await;
            for node in voters.iter().chain(learners) {
                world.until("it has all", || async { world.records(*node).await.len() == n as usize }).await;
            }
        }
        let leader = world.leader(&ALL).await;
        assert_eq!(leader, 4);
        assert_eq!(world.records(4).await, (0..n).collect::<Vec<_>>());
    });
}

#[test]
fn a_leader_that_leaves_does_not_wait_for_a_dead_heir_nor_hold_proposals_back_for_it() {
    for seed in 95..98 {
        world::run(seed, 4, 3, |world| async move {
            let leader = world.leader(&[1, 2, 3]).await;
            world.put_on(leader, 0).await.unwrap();
            tokio::time::sleep(Duration::from_secs(3)).await;
            // So that the dead one comes first in the order of numbers.
            let leader = world.leader(&[1, 2, 3]).await;
            if leader == 1 {
                let moved = world.on(1, |life| async move { life.group.transfer(types::NodeId(3), DEADLINE).await });
                moved.await.unwrap();
            }
            let leader = world.leader(&[1, 2, 3]).await;
            assert_ne!(leader, 1);
            world.crash(1).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let other = 5 - leader;
            let voters = replicas([1, 4, other]);
            let loaded = world.clone();
            let load = tokio::task::spawn_local(async move {
                let mut slowest = Duration::ZERO;
                for n in 1.. {
                    let since = turmoil::sim_elapsed().unwrap();
                    match loaded.put_on(leader, n).await {
                        Ok(_) => slowest = slowest.max(turmoil::sim_elapsed().unwrap() - since),
                        Err(_) => break,
                    }
                }
                slowest
            });
            let changed = world.on(leader, move |life| async move {
                life.group.change_members(&voters, &replicas([]), DEADLINE).await
            });
            let changed = changed.await;
            assert!(
                matches!(changed, Err(ChangeError::HandedOver { to }) if to.0 == 4 || to.0 == other),
                "{changed:?}"
            );
            let slowest = load.await.unwrap();
            assert!(slowest < Duration::from_millis(1_500), "a proposal took {slowest:?}");
            assert!([4, other].contains(&world.leader(&[4, other]).await));
        });
    }
}
