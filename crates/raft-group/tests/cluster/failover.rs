//! Leaders die; what was acknowledged stays.

use std::time::Duration;

use crate::world::{self, World};
use crate::{put_somewhere, without_repeats};

const ALL: [u64; 3] = [1, 2, 3];

#[test]
fn three_replicas_elect_a_leader_and_hold_the_same_records() {
    world::run(1, 3, 3, |world| async move {
        let leader = world.leader(&ALL).await;
        for n in 0..50 {
            assert_eq!(world.put_on(leader, n).await.unwrap(), n);
        }
        for node in ALL {
            world.until("all have applied", || async { world.records(node).await.len() == 50 }).await;
            assert_eq!(world.records(node).await, (0..50).collect::<Vec<_>>());
        }
    });
}

/// Kills the leader six times, power and all, and restarts it after others have gone on.
pub(crate) async fn leaders_killed_in_turn(world: World) {
    let mut acknowledged = Vec::new();
    let mut n = 0;
    for _ in 0..6 {
        let leader = world.leader(&ALL).await;
        for _ in 0..20 {
            let number = put_somewhere(&world, &ALL, n).await;
            world.note(format!("{n} is {number} by {leader} at {:?}", turmoil::sim_elapsed().unwrap()));
            acknowledged.push(n);
            n += 1;
        }
        world.crash(leader).await;
        let died = turmoil::sim_elapsed().unwrap();
        let others: Vec<u64> = ALL.into_iter().filter(|node| *node != leader).collect();
        let next = world.leader(&others).await;
        let gap = turmoil::sim_elapsed().unwrap() - died;
        world.note(format!("{next} leads after {gap:?}"));
        assert!(gap < Duration::from_secs(3), "nobody led for {gap:?}");
        put_somewhere(&world, &others, n).await;
        acknowledged.push(n);
        n += 1;
        world.restart(leader).await;
    }
    for node in ALL {
        let all_there = || async { without_repeats(&world.records(node).await) == acknowledged };
        world.until("every replica has every acknowledged record in order", all_there).await;
    }
}

#[test]
fn leaders_killed_in_turn_lose_nothing_and_others_lead_within_three_seconds() {
    for seed in 10..16 {
        world::run(seed, 3, 3, leaders_killed_in_turn);
    }
}

#[test]
fn a_majority_lost_and_back_goes_on_by_itself() {
    world::run(20, 3, 3, |world| async move {
        let leader = world.leader(&ALL).await;
        for n in 0..10 {
            world.put_on(leader, n).await.unwrap();
        }
        for node in ALL {
            world.crash(node).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        for node in ALL {
            world.restart(node).await;
        }
        let leader = world.leader(&ALL).await;
        assert_eq!(world.records(leader).await, (0..10).collect::<Vec<_>>());
        put_somewhere(&world, &ALL, 10).await;
    });
}

#[test]
fn a_leader_restarted_before_anyone_missed_it_leaves_no_gap_that_lasts() {
    world::run(21, 3, 3, |world| async move {
        for n in 0..5 {
            let leader = world.leader(&ALL).await;
            put_somewhere(&world, &ALL, n).await;
            world.crash(leader).await;
            world.restart(leader).await;
            let died = turmoil::sim_elapsed().unwrap();
            world.leader(&ALL).await;
            let gap = turmoil::sim_elapsed().unwrap() - died;
            assert!(gap < Duration::from_secs(3), "nobody led for {gap:?}");
        }
        let leader = world.leader(&ALL).await;
        assert_eq!(without_repeats(&world.records(leader).await), (0..5).collect::<Vec<_>>());
    });
}

#[test]
fn a_follower_restarted_while_nothing_is_written_applies_what_was_committed() {
    world::run(22, 3, 3, |world| async move {
        let leader = world.leader(&ALL).await;
        for n in 0..10 {
            world.put_on(leader, n).await.unwrap();
        }
        let followers: Vec<u64> = ALL.into_iter().filter(|node| *node != leader).collect();
        for node in &followers {
            world.until("the entries are there", || async { world.records(*node).await.len() == 10 }).await;
        }
        for node in followers {
            world.crash(node).await;
            world.restart(node).await;
            world.until("the leader has told it", || async { world.records(node).await.len() == 10 }).await;
        }
    });
}
