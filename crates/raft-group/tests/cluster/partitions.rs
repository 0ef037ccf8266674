//! Cut links: a leader that may be deposed does not serve, and one that is not stays.

use std::time::Duration;

use raft_group::Leadership;

use crate::world::{self, World};
use crate::{put_somewhere, without_repeats};

const ALL: [u64; 3] = [1, 2, 3];

fn cut(a: u64, b: u64) {
    turmoil::partition(world::name(a), world::name(b));
}

fn heal(a: u64, b: u64) {
    turmoil::repair(world::name(a), world::name(b));
}

async fn serves(world: &World, node: u64) -> bool {
    world.on(node, |life| async move { life.group.leadership() }).await == Leadership::Leads
}

#[test]
fn a_leader_cut_off_from_all_stops_serving_before_another_begins() {
    for seed in 30..34 {
        world::run(seed, 3, 3, |world| async move {
            let old = world.leader(&ALL).await;
            let others: Vec<u64> = ALL.into_iter().filter(|node| *node != old).collect();
            put_somewhere(&world, &[old], 0).await;
            others.iter().for_each(|other| cut(old, *other));
            // Looked at every few milliseconds: at no moment do two serve.
            loop {
                let (first, second) = (serves(&world, others[0]).await, serves(&world, others[1]).await);
                assert!(!(first || second) || !serves(&world, old).await, "two leaders serve");
                if first || second {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert!(world.put_on(old, 666).await.is_err(), "nobody but itself has it");
            put_somewhere(&world, &others, 1).await;
            others.iter().for_each(|other| heal(old, *other));
            let same = || async { without_repeats(&world.records(old).await) == [0, 1] };
            world.until("the old leader follows", same).await;
            put_somewhere(&world, &ALL, 2).await;
        });
    }
}

#[test]
fn a_follower_that_cannot_reach_the_leader_does_not_depose_it() {
    world::run(40, 3, 3, |world| async move {
        let leader = world.leader(&ALL).await;
        let follower = ALL.into_iter().find(|node| *node != leader).unwrap();
        cut(leader, follower);
        for n in 0..40 {
            assert_eq!(world.leader(&ALL).await, leader, "the leader has a quorum and stays");
            world.put_on(leader, n).await.unwrap();
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        heal(leader, follower);
        world.until("the follower catches up", || async { world.records(follower).await.len() == 40 }).await;
        assert_eq!(world.leader(&ALL).await, leader);
    });
}

#[test]
fn a_link_cut_in_one_direction_ends_with_one_leader() {
    for seed in 50..54 {
        world::run(seed, 3, 3, |world| async move {
            let old = world.leader(&ALL).await;
            let others: Vec<u64> = ALL.into_iter().filter(|node| *node != old).collect();
            // It hears the others, they don't hear it.
            others.iter().for_each(|other| turmoil::partition_oneway(world::name(old), world::name(*other)));
            let new = world.leader(&others).await;
            assert!(!serves(&world, old).await);
            put_somewhere(&world, &[new], 1).await;
            others.iter().for_each(|other| turmoil::repair_oneway(world::name(old), world::name(*other)));
            world.until("the old leader follows", || async { world.records(old).await == [1] }).await;
        });
    }
}
