//! Leadership is given away.

use std::time::Duration;

use raft_group::TransferError;
use types::NodeId;

use crate::put_somewhere;
use crate::world;

const ALL: [u64; 3] = [1, 2, 3];
const DEADLINE: Duration = Duration::from_secs(2);

#[test]
fn a_transfer_under_load_fails_no_proposal_and_takes_a_moment() {
    for seed in 60..64 {
        world::run(seed, 3, 3, |world| async move {
            let mut n = 0;
            for _ in 0..6 {
                let leader = world.leader(&ALL).await;
                let to = ALL.into_iter().find(|node| *node != leader).unwrap();
                let loaded = world.clone();
                let load = tokio::task::spawn_local(async move {
                    // One after the other; the first that is refused was not proposed.
                    let mut taken = 0;
                    loop {
                        match loaded.put_on(leader, n + taken).await {
                            Ok(_) => taken += 1,
                            Err(raft_group::ProposeError::NotLeader { .. }) => return taken,
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
                tokio::time::sleep(Duration::from_millis(100)).await;
                let since = turmoil::sim_elapsed().unwrap();
                let moved =
                    world.on(leader, move |life| async move { life.group.transfer(NodeId(to), DEADLINE).await });
                moved.await.unwrap();
                let took = turmoil::sim_elapsed().unwrap() - since;
                assert!(took < Duration::from_millis(100), "the transfer took {took:?}");
                n += load.await.unwrap();
                assert_eq!(world.leader(&ALL).await, to);
            }
            let leader = world.leader(&ALL).await;
            assert!(n > 30);
            assert_eq!(world.records(leader).await, (0..n).collect::<Vec<_>>());
        });
    }
}

#[test]
fn a_transfer_to_a_dead_node_fails_and_the_leader_goes_on() {
    world::run(70, 3, 3, |world| async move {
        let leader = world.leader(&ALL).await;
        let dead = ALL.into_iter().find(|node| *node != leader).unwrap();
        world.crash(dead).await;
        let moved = world.on(leader, move |life| async move { life.group.transfer(NodeId(dead), DEADLINE).await });
        assert!(moved.await.is_err());
        world.put_on(leader, 0).await.unwrap();
        let nobody = world.on(leader, |life| async move { life.group.transfer(NodeId(9), DEADLINE).await }).await;
        assert!(matches!(nobody, Err(TransferError::NoVoter(NodeId(9)))), "{nobody:?}");
        put_somewhere(&world, &[leader], 1).await;
    });
}

#[test]
fn a_group_that_was_idle_for_minutes_takes_a_proposal_at_once_on_the_same_leader() {
    world::run(71, 3, 3, |world| async move {
        let leader = world.leader(&ALL).await;
        world.put_on(leader, 0).await.unwrap();
        tokio::time::sleep(Duration::from_secs(300)).await;
        let since = turmoil::sim_elapsed().unwrap();
        world.put_on(leader, 1).await.unwrap();
        let took = turmoil::sim_elapsed().unwrap() - since;
        assert!(took < Duration::from_millis(100), "it took {took:?}");
        assert_eq!(world.leader(&ALL).await, leader);
    });
}

#[test]
fn a_node_that_leaves_hands_over_and_takes_nothing_back() {
    for seed in 72..75 {
        world::run(seed, 3, 3, |world| async move {
            let leaver = world.leader(&ALL).await;
            world.put_on(leaver, 0).await.unwrap();
            let since = turmoil::sim_elapsed().unwrap();
            let handed = world.on(leaver, |life| async move {
                life.node.leave();
                life.group.hand_over(DEADLINE).await
            });
            handed.await.unwrap();
            let took = turmoil::sim_elapsed().unwrap() - since;
            assert!(took < Duration::from_millis(100), "it took {took:?}");
            let heir = world.leader(&ALL).await;
            assert_ne!(heir, leaver);
            // Whoever follows it can't be handed the office either.
            let back = world.on(heir, move |life| async move { life.group.transfer(NodeId(leaver), DEADLINE).await });
            assert!(matches!(back.await, Err(TransferError::Declined(_))));
            // With the heir gone there are two, and the one that leaves votes, but does not stand.
            world.crash(heir).await;
            let third = ALL.into_iter().find(|node| ![leaver, heir].contains(node)).unwrap();
            assert_eq!(world.leader(&[leaver, third]).await, third);
            put_somewhere(&world, &[third], 1).await;
        });
    }
}

#[test]
fn a_leader_without_living_others_hands_nothing_over() {
    world::run(76, 3, 3, |world| async move {
        let leader = world.leader(&ALL).await;
        for node in ALL.into_iter().filter(|node| *node != leader) {
            world.crash(node).await;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let handed = world.on(leader, |life| async move { life.group.hand_over(DEADLINE).await }).await;
        assert!(matches!(handed, Err(TransferError::Alone)), "{handed:?}");
    });
}

#[test]
fn a_replica_that_was_restarted_while_nothing_is_written_can_take_over() {
    world::run(60, 3, 3, |world| async move {
        let leader = world.leader(&ALL).await;
        for n in 0..10 {
            world.put_on(leader, n).await.unwrap();
        }
        let to = ALL.into_iter().find(|node| *node != leader).unwrap();
        world.until("the entries are there", || async { world.records(to).await.len() == 10 }).await;
        world.crash(to).await;
        world.restart(to).await;
        world.until("it has applied them", || async { world.records(to).await.len() == 10 }).await;
        let moved = world.on(leader, move |life| async move { life.group.transfer(NodeId(to), DEADLINE).await });
        moved.await.unwrap();
        assert_eq!(world.leader(&ALL).await, to);
    });
}

#[test]
fn a_leader_that_died_and_is_back_can_take_over_again_while_nothing_is_written() {
    for seed in 70..110 {
        world::run(seed, 3, 3, move |world| async move {
            let leader = world.leader(&ALL).await;
            for n in 0..10 {
                world.put_on(leader, n).await.unwrap();
            }
            world.crash(leader).await;
            let others: Vec<u64> = ALL.into_iter().filter(|node| *node != leader).collect();
            let heir = world.leader(&others).await;
            tokio::time::sleep(Duration::from_millis(seed * 20)).await;
            world.restart(leader).await;
            world.until("it is back", || async { world.records(leader).await.len() == 10 }).await;
            for _ in 0..20 {
                let moved =
                    world.on(heir, move |life| async move { life.group.transfer(NodeId(leader), DEADLINE).await });
                match moved.await {
                    Ok(()) => break,
                    Err(error) => world.note(format!("{error}")),
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            assert_eq!(world.leader(&ALL).await, leader, "seed {seed}: {}", world.trace.borrow());
        });
    }
}
