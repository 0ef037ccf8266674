use super::*;
use crate::placement::{CatalogMembers, catalog_leader, catalog_members};

impl World {
    fn members(&self, voters: &[u64]) -> CatalogMembers {
        let voters: BTreeSet<NodeId> = nodes(voters).into_iter().collect();
        let learners = self.catalog.nodes().keys().filter(|id| !voters.contains(id)).copied().collect();
        catalog_members(&self.catalog, &self.alive, &self.lost, &voters, &learners)
    }

    fn chosen(&self, voters: &[u64]) -> Vec<u64> {
        self.members(voters).voters.into_iter().map(|id| id.0).collect()
    }
}

#[test]
fn a_cluster_grows_from_one_voter_to_three_to_five() {
    let mut world = World::new(&[0]);
    let mut voters = vec![1];
    let mut numbers = Vec::new();
    for _ in 0..6 {
        voters = world.chosen(&voters);
        numbers.push(voters.len());
        world.join(0);
    }
    assert_eq!(numbers, [1, 1, 3, 3, 5, 5]);
    assert_eq!(voters, [1, 2, 3, 4, 5], "nobody lost a vote on the way");
}

#[test]
fn a_node_that_restarts_keeps_its_vote_and_one_that_is_lost_is_replaced() {
    let mut world = World::new(&[0, 1, 2, 0]);
    world.die(3);
    assert_eq!(world.chosen(&[1, 2, 3]), [1, 2, 3]);
    world.die_for_long(3);
    assert_eq!(world.chosen(&[1, 2, 3]), [1, 2, 4]);
    world.die_for_long(4);
    assert_eq!(world.chosen(&[1, 2, 3]), [1, 2, 3], "with one voter a command would be on one disk");
    world.die_for_long(2);
    assert_eq!(world.chosen(&[1, 2, 3]), [1, 2, 3], "without a quorum nothing can be decided");
}

#[test]
fn a_leaving_node_hands_its_vote_on_and_the_last_node_keeps_it() {
    let mut world = World::new(&[0, 1, 2, 0]);
    world.set(1, NodeState::Leaving);
    assert_eq!(world.chosen(&[1, 2, 3]), [2, 3, 4]);
    world.set(4, NodeState::Leaving);
    assert_eq!(world.chosen(&[2, 3, 4]), [2]);
    let mut alone = World::new(&[0]);
    alone.set(1, NodeState::Leaving);
    assert_eq!(alone.chosen(&[1]), [1]);
}

#[test]
fn a_leader_that_is_to_be_stopped_hands_over_to_a_voter_that_stays_and_is_up() {
    let mut world = World::new(&[0, 1, 2, 0]);
    let next = |world: &World, leader: u64| {
        let voters = nodes(&[1, 2, 3]).into_iter().collect();
        catalog_leader(&world.catalog, &world.alive, &voters, NodeId(leader)).map(|id| id.0)
    };
    assert_eq!(next(&world, 1), None);
    world.set(1, NodeState::Draining);
    assert_eq!((next(&world, 1), next(&world, 2)), (Some(2), None));
    world.die(2);
    assert_eq!(next(&world, 1), Some(3));
    world.set(3, NodeState::Leaving);
    assert_eq!(next(&world, 1), None, "node 4 does not vote");
    world.set(1, NodeState::Active);
    assert_eq!(next(&world, 3), Some(1));
}

#[test]
fn voters_move_to_zones_that_have_none() {
    let world = World::new(&[0, 0, 0, 1, 2]);
    assert_eq!(world.chosen(&[]), [1, 2, 3, 4, 5]);
    let world = World::new(&[0, 0, 0, 1]);
    assert_eq!(world.chosen(&[1, 2, 3]), [1, 2, 4]);
}

proptest! {
    #[test]
    fn voters_are_odd_spread_stable_and_everybody_else_learns(world in worlds(), drawn in vec(1u64..10, 0..6)) {
        let known: Vec<u64> = drawn.into_iter().filter(|id| world.catalog.nodes().contains_key(&NodeId(*id))).collect();
        let before: BTreeSet<NodeId> = nodes(&known).into_iter().collect();
        let members = world.members(&known);
        let CatalogMembers { voters, learners } = &members;
        let all: BTreeSet<NodeId> = world.catalog.nodes().keys().copied().collect();
        prop_assert!(voters.is_disjoint(learners));
        prop_assert_eq!(&voters.union(learners).copied().collect::<BTreeSet<_>>(), &all);
        let ids: Vec<u64> = voters.iter().map(|id| id.0).collect();
        prop_assert_eq!(world.members(&ids), members.clone(), "asked again");

        let working = before.iter().filter(|id| world.alive.contains(id)).count();
        if !before.is_empty() && working * 2 <= before.len() {
            prop_assert_eq!(voters, &before);
            return Ok(());
        }
        let usable: BTreeSet<NodeId> = world.usable().into_iter().collect();
        prop_assert!(voters.difference(&before).all(|id| usable.contains(id)));
        if usable.is_empty() {
            return Ok(());
        }
        let staying = |id: &NodeId| world.state(*id) != NodeState::Leaving && !world.lost.contains(id);
        prop_assert!([1, 3, 5].contains(&voters.len()), "{:?}", voters);
        let gone: Vec<_> = voters.iter().filter(|id| !staying(id)).collect();
        prop_assert!(gone.iter().all(|id| world.lost.contains(id) && world.state(**id) != NodeState::Leaving));
        prop_assert!(gone.is_empty() || voters.len() == 3 && gone.len() == 1);
        let number = all.iter().filter(|id| staying(id)).count();
        prop_assert!(gone.len() == 1 || voters.len() <= number.max(1));
        if usable.len() >= 3 {
            prop_assert!(voters.len() >= 3);
        }
        if usable.len() >= 5 {
            prop_assert_eq!(voters.len(), 5);
        }
        // No spare node is in a zone that has two voters fewer than another.
        let zones = world.zone_sizes(&voters.iter().copied().collect::<Vec<_>>());
        if gone.is_empty() {
            for spare in usable.difference(voters) {
                let there = zones.get(world.zone(*spare)).copied().unwrap_or(0);
                prop_assert!(zones.values().all(|most| *most < there + 2), "{:?} and {}", zones, spare);
            }
        }
    }
}
