use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use catalog_state::CatalogCommand;
use proptest::collection::vec;
use proptest::prelude::*;
use types::{GroupId, ReplicaId};

use super::*;
use crate::calls::{CatalogGroup, Heard, Report, Standing};
use crate::govern::{Order, Pace, orders};
use crate::placement::tests::{World, nodes, worlds};

const LOST_AFTER: Duration = Duration::from_secs(300);

/// Zones a, b and c, and a stream of three shards, groups 1 to 3, on nodes 1 to 3; the first of each shard leads it, node 2 the catalog.
fn healthy() -> World {
    let mut world = World::new(&[0, 1, 2]);
    world.create(3, vec![nodes(&[1, 2, 3]), nodes(&[2, 3, 1]), nodes(&[3, 1, 2])]);
    world.command(&CatalogCommand::StreamReady { id: 1 });
    world
}

/// The first replica of each shard that is alive leads it.
fn first_alive(world: &World) -> BTreeMap<GroupId, NodeId> {
    let first =
        |replicas: &[ReplicaId]| replicas.iter().map(|replica| replica.node()).find(|node| world.alive.contains(node));
    world.catalog.shards().filter_map(|(_, shard)| Some((shard.group, first(&shard.replicas)?))).collect()
}

fn facts(world: &World, leading: &BTreeMap<GroupId, NodeId>, leader: Option<u64>, voters: &[u64]) -> Facts {
    let heard = |node: &NodeId| {
        let silent_ms = match () {
            () if world.lost.contains(node) => 400_000,
            () if world.alive.contains(node) => 20,
            () => 42_000,
        };
        Heard { node: *node, is_alive: world.alive.contains(node), silent_ms }
    };
    let standing = |node: &NodeId| {
        let led = leading.iter().filter(|(_, leader)| *leader == node).map(|(group, _)| *group).collect();
        let heard = world.catalog.nodes().keys().map(heard).collect();
        (*node, Standing { report: Report { led, ..Report::default() }, heard, ..Standing::default() })
    };
    let voters: BTreeSet<NodeId> = nodes(voters).into_iter().collect();
    let learners = world.catalog.nodes().keys().filter(|node| !voters.contains(node)).copied().collect();
    Facts {
        catalog: Arc::new(world.catalog.clone()),
        own: leader.map_or(NodeId(1), NodeId),
        leader: leader.map(NodeId),
        group: CatalogGroup { voters, learners, ..CatalogGroup::default() },
        standings: world.alive.iter().map(standing).collect(),
        lost_after: LOST_AFTER,
    }
}

/// Node 2 leads the catalog, or the first one that is alive if it is not.
fn of(world: &World) -> Facts {
    let leader = world.alive.get(&NodeId(2)).or(world.alive.first()).map(|node| node.0);
    facts(world, &first_alive(world), leader, &[1, 2, 3])
}

fn take(facts: &Facts) -> ClusterStatus {
    ClusterStatus::take("c", facts)
}

#[test]
fn a_healthy_cluster_waits_for_nothing() {
    let status = take(&of(&healthy()));
    assert_eq!((status.balanced, &status.waiting, &status.troubled), (true, &vec![], &vec![]));
    assert_eq!((status.catalog.leader, status.catalog.voters.len()), (Some(NodeId(2)), 3));
    let numbers: Vec<_> = status.nodes.iter().map(|node| (node.id.0, node.replicas, node.leaders)).collect();
    assert_eq!(numbers, [(1, 3, 1), (2, 3, 1), (3, 3, 1)]);
    let ShardTotals { streams, shards, replicas, replication_max, under_replicated, leaderless, .. } = status.shards;
    assert_eq!((streams, shards, replicas, replication_max, under_replicated, leaderless), (1, 3, 9, 3, 0, 0));
}

#[test]
fn a_status_survives_its_encoding() {
    let mut world = healthy();
    world.set(3, NodeState::Leaving);
    let status = take(&of(&world));
    let json = serde_json::to_string(&status).unwrap();
    assert!(json.contains(r#""state":"leaving""#), "{json}");
    assert_eq!(serde_json::from_str::<ClusterStatus>(&json).unwrap(), status);
}

#[test]
fn a_dead_node_is_shown_with_what_it_costs() {
    let mut world = healthy();
    world.die(3);
    let status = take(&of(&world));
    let dead = status.node(NodeId(3)).unwrap();
    assert_eq!((dead.alive, dead.answered, dead.silent_ms), (false, false, 42_000));
    assert_eq!((status.shards.under_replicated, status.shards.without_quorum), (3, 0));
    assert!(status.troubled.iter().all(|shard| shard.troubles == [Trouble::UnderReplicated]));
    let waits = "node 3 has been silent for 42 s: its 3 replicas are made anew elsewhere if it is not back in 258 s";
    assert_eq!(status.waiting[0], waits);
    world.die_for_long(3);
    let waits = "node 3 has been silent for 400 s: its 3 replicas are made anew where there is a node to take them";
    assert_eq!(take(&of(&world)).waiting[0], waits);
    world.die(2);
    let status = take(&facts(&world, &BTreeMap::new(), None, &[1, 2, 3]));
    assert_eq!((status.shards.without_quorum, status.shards.leaderless), (3, 3));
    let waits = "the catalog has no leader, so nothing can be changed: 1 of its 3 voters are alive, that is no majority: bring back \
                 the others";
    assert_eq!(status.waiting[0], waits);
    assert!(status.waiting[1].contains("on nodes 2 and 3, which must come back"), "{:?}", status.waiting);
}

#[test]
fn draining_and_leaving_nodes_say_what_is_left_on_them() {
    let mut world = healthy();
    world.set(1, NodeState::Draining);
    let waiting = |facts: &Facts| take(facts).waiting;
    assert_eq!(waiting(&of(&world))[0], "node 1 is draining and still leads 1 shard");
    let elsewhere: BTreeMap<_, _> = (1..=3).map(|group| (GroupId(group), NodeId(2 + group % 2))).collect();
    let leads_catalog = facts(&world, &elsewhere, Some(1), &[1, 2, 3]);
    assert_eq!(waiting(&leads_catalog)[0], "node 1 is draining and still leads the catalog");
    assert_eq!(waiting(&facts(&world, &elsewhere, Some(2), &[1, 2, 3])), Vec::<String>::new());
    world.set(1, NodeState::Leaving);
    let stuck = "node 1 is leaving and holds 3 replicas, 3 of which no other active node that is alive can take";
    assert_eq!(waiting(&of(&world))[0], stuck);
    world.join(0);
    assert_eq!(waiting(&of(&world))[0], "node 1 is leaving and still holds 3 replicas");
    world.settle(4);
    assert!(waiting(&of(&world)).contains(&"node 1 is leaving and still votes on the catalog".to_owned()));
    let gone = facts(&world, &elsewhere, Some(2), &[2, 3, 4]);
    assert!(waiting(&gone).contains(&"node 1 is leaving, holds nothing more and is about to be removed".to_owned()));
}

#[test]
fn a_move_is_told_with_what_it_lacks() {
    let mut world = healthy();
    world.join(0);
    let to: Vec<ReplicaId> = [1, 2, 4].map(|node| ReplicaId::new(NodeId(node), 0)).into();
    let from: Vec<ReplicaId> = [1, 2, 3].map(|node| ReplicaId::new(NodeId(node), 0)).into();
    world.command(&CatalogCommand::ChangeReplicas { group: GroupId(1), from, to });
    let mut facts = of(&world);
    let leader = facts.standings.get_mut(&NodeId(1)).unwrap();
    leader.lags =
        vec![(GroupId(1), ReplicaId::new(NodeId(4), 0), 1_234), (GroupId(1), ReplicaId::new(NodeId(2), 0), 1)];
    let status = take(&facts);
    let told = "a replica of s1 shardId-000000000000 moves from node 3 to node 4, 1234 entries behind";
    assert!(status.waiting.contains(&told.to_owned()), "{:?}", status.waiting);
    assert_eq!((status.balanced, status.shards.moving, status.shards.lag_entries_max), (false, 1, 1_234));
    assert_eq!(status.troubled[0].target, Some(nodes(&[1, 2, 4])));
    assert_eq!(status.node(NodeId(4)).map(|node| (node.replicas, node.arriving)), Some((0, 1)));
}

#[test]
fn a_damaged_replica_and_its_successor_are_shown() {
    let mut world = healthy();
    let mut facts = of(&world);
    facts.standings.get_mut(&NodeId(3)).unwrap().report.damaged = vec![(GroupId(1), ReplicaId::new(NodeId(3), 0))];
    let status = take(&facts);
    assert_eq!(status.troubled[0].troubles, [Trouble::Damaged, Trouble::UnderReplicated]);
    assert_eq!(status.waiting[0], "1 replica on node 3 damaged: made anew where the others are a majority");
    let from: Vec<ReplicaId> = [1, 2, 3].map(|node| ReplicaId::new(NodeId(node), 0)).into();
    let to = vec![from[0], from[1], ReplicaId::new(NodeId(3), 1)];
    world.command(&CatalogCommand::ChangeReplicas { group: GroupId(1), from, to });
    let status = take(&of(&world));
    assert_eq!(status.troubled[0].troubles, [Trouble::Rebuilding, Trouble::Moving]);
    assert_eq!(status.waiting[0], "a replica of s1 shardId-000000000000 is made anew on node 3");
}

#[test]
fn a_node_is_not_drained_or_decommissioned_where_that_would_do_harm() {
    let check = |world: &World, id, state| check_node_state(&of(world), NodeId(id), state).err();
    let mut world = healthy();
    assert_eq!(check(&world, 1, NodeState::Draining), None);
    let few = "without node 1 there would be 2 nodes for shards that should have 3 replicas";
    assert_eq!(check(&world, 1, NodeState::Leaving).as_deref(), Some(few));
    world.set(2, NodeState::Draining);
    let two = "if node 1 stopped, 3 shards would be without a majority of replicas, since node 2 is down or being drained too";
    assert_eq!(check(&world, 1, NodeState::Draining).as_deref(), Some(two));
    assert_eq!(check(&world, 2, NodeState::Draining), None, "it is that already");
    assert_eq!(check(&world, 2, NodeState::Active), None);
    world.set(2, NodeState::Active);
    world.join(0);
    assert_eq!(check(&world, 1, NodeState::Leaving), None);
    world.die(2);
    world.die(3);
    let stuck = "3 shards of node 1 could not move: no majority of their replicas is alive";
    assert_eq!(check(&world, 1, NodeState::Leaving).as_deref(), Some(stuck));
    let mut alone = World::new(&[0]);
    let no_catalog = "if node 1 stopped, the catalog would be without a majority of voters";
    let of_one =
        |world: &World, state| check_node_state(&facts(world, &BTreeMap::new(), Some(1), &[1]), NodeId(1), state).err();
    assert_eq!(of_one(&alone, NodeState::Draining).as_deref(), Some(no_catalog));
    assert!(of_one(&alone, NodeState::Leaving).is_some());
    alone.join(0);
    assert_eq!(of_one(&alone, NodeState::Leaving), None, "it holds nothing");
}

/// Some node of the world.
fn pick(world: &World, draw: u64) -> NodeId {
    NodeId(draw % world.catalog.nodes().len() as u64 + 1)
}

proptest! {
    #[test]
    fn balanced_is_what_the_governor_leaves_alone(world in worlds(), voters in vec(1u64..10, 1..4)) {
        let known: Vec<u64> = voters.into_iter().filter(|id| world.catalog.nodes().contains_key(&NodeId(*id))).collect();
        let leader = world.alive.first().map(|node| node.0);
        let facts = facts(&world, &first_alive(&world), leader, &known);
        let status = take(&facts);
        let pace = Pace { changes: 100, transfers: 100 };
        let moves = orders(&world.catalog, &facts.view(), pace).into_iter().any(|order| match order {
            Order::Propose(command) => matches!(command, CatalogCommand::ChangeReplicas { .. }),
            Order::Transfer(_) | Order::CatalogMembers { .. } => true,
            Order::CatalogLeader { .. } => false,
        });
        prop_assert_eq!(status.balanced, !moves);
        prop_assert!(status.balanced || !status.waiting.is_empty(), "who waits is told why");
        let held: usize = status.nodes.iter().map(|node| node.replicas).sum();
        prop_assert_eq!(held, status.shards.replicas);
        prop_assert!(status.troubled.len() <= ClusterStatus::TROUBLED_MAX);
    }

    #[test]
    fn a_node_that_may_leave_is_empty_in_the_end(mut world in worlds(), draw in 0u64..9, limit in 1usize..9) {
        // Whoever is down for a moment or draining is waited for, which here would be for ever.
        let waits = world.catalog.nodes().iter().any(|(id, node)| {
            node.state == NodeState::Draining || !world.alive.contains(id) && !world.lost.contains(id)
        });
        let id = pick(&world, draw);
        let may_leave = check_node_state(&of(&world), id, NodeState::Leaving).is_ok();
        if waits || world.state(id) != NodeState::Active || !may_leave {
            return Ok(());
        }
        world.set(id.0, NodeState::Leaving);
        world.settle(limit);
        let held = world.catalog.hosted_on(id).count();
        prop_assert_eq!(held, 0);
    }

    #[test]
    fn without_a_node_that_may_be_drained_nothing_stops(mut world in worlds(), draw in 0u64..9) {
        let id = pick(&world, draw);
        let may_be_drained = check_node_state(&of(&world), id, NodeState::Draining).is_ok();
        if world.state(id) != NodeState::Active || !may_be_drained {
            return Ok(());
        }
        world.set(id.0, NodeState::Draining);
        let draining: Vec<NodeId> =
            world.catalog.nodes().iter().filter(|(_, node)| node.state != NodeState::Active).map(|(id, _)| *id).collect();
        draining.iter().for_each(|id| world.die(id.0));
        for (_, shard) in world.catalog.shards().filter(|(_, shard)| shard.voter_on(id).is_some()) {
            let alive = shard.replicas.iter().filter(|replica| world.alive.contains(&replica.node())).count();
            prop_assert!(alive * 2 > shard.replicas.len());
        }
    }
}
