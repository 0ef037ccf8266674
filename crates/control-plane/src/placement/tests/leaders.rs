use super::*;
use crate::placement::{Transfer, leaders, place};

type Leaders = BTreeMap<GroupId, NodeId>;

impl World {
    fn transfers(&self, leading: &Leaders, limit: usize) -> Vec<Transfer> {
        leaders(&self.catalog, leading, &self.alive, limit)
    }

    /// Carries out transfers until none is planned.
    fn settle_leaders(&self, leading: &mut Leaders, limit: usize) {
        for _ in 0..2_000 {
            let planned = self.transfers(leading, limit);
            if planned.is_empty() {
                return;
            }
            for transfer in planned {
                assert_eq!(leading.insert(transfer.group, transfer.to), Some(transfer.from));
            }
        }
        panic!("the plan never ends: {:?}", self.transfers(leading, limit));
    }

    fn voters(&self, group: GroupId) -> Vec<NodeId> {
        let (_, shard) = self.catalog.shard_of_group(group).unwrap();
        shard.replicas.iter().map(|replica| replica.node()).collect()
    }

    /// The first live voter leads, or another one.
    fn somebody_leads(&self, draws: &[usize]) -> Leaders {
        let groups = self.catalog.shards().map(|(_, shard)| shard.group);
        let led = groups.zip(draws.iter().cycle()).filter_map(|(group, draw)| {
            let live: Vec<_> = self.voters(group).into_iter().filter(|node| self.alive.contains(node)).collect();
            Some((group, *live.get(draw.checked_rem(live.len())?)?))
        });
        led.collect()
    }
}

#[test]
fn a_draining_node_hands_over_everything_at_once_whatever_the_limit() {
    let mut world = World::new(&[0, 1, 2]);
    let placed = place(&world.catalog, &world.alive, 3, 30).unwrap();
    world.create(3, placed);
    let mut leading = world.somebody_leads(&[0]);
    assert_eq!(world.transfers(&leading, 100), []);
    world.set(2, NodeState::Draining);
    let planned = world.transfers(&leading, 1);
    assert_eq!(planned.len(), 10);
    world.settle_leaders(&mut leading, 1);
    assert_eq!(counts(&world, leading.values().copied()).into_values().collect::<Vec<_>>(), [15, 15]);
    world.set(2, NodeState::Active);
    world.settle_leaders(&mut leading, 4);
    assert_eq!(leading, world.somebody_leads(&[0]), "everything is back at its preferred leader");
}

#[test]
fn a_group_whose_members_change_is_left_in_peace_unless_its_leader_must_go() {
    let mut world = World::new(&[0, 0, 0]);
    world.create(2, vec![nodes(&[1, 2])]);
    let leading = Leaders::from([(GroupId(1), NodeId(2))]);
    assert_eq!(world.transfers(&leading, 9).len(), 1);
    let (from, to) = (vec![ReplicaId(1), ReplicaId(2)], vec![ReplicaId(1), ReplicaId(3)]);
    world.command(&CatalogCommand::ChangeReplicas { group: GroupId(1), from, to });
    assert_eq!(world.transfers(&leading, 9), []);
    world.set(2, NodeState::Leaving);
    assert_eq!(world.transfers(&leading, 9), [Transfer { group: GroupId(1), from: NodeId(2), to: NodeId(1) }]);
}

proptest! {
    #[test]
    fn leaders_go_only_to_usable_voters_and_away_from_nodes_that_should_not_lead(
        world in worlds(), draws in vec(0usize..10, 1..20), limit in 0usize..9,
    ) {
        let leading = world.somebody_leads(&draws);
        let planned = world.transfers(&leading, limit);
        prop_assert_eq!(&planned, &world.transfers(&leading, limit));
        let mut moved = BTreeMap::new();
        for Transfer { group, from, to } in &planned {
            prop_assert_eq!(leading.get(group), Some(from));
            prop_assert!(from != to && world.voters(*group).contains(to) && world.usable().contains(to));
            prop_assert!(moved.insert(*group, *to).is_none(), "{} twice", group);
        }
        let must_go = |group: &GroupId, leader: &NodeId| {
            let somebody_else = world.voters(*group).iter().any(|node| world.usable().contains(node));
            world.state(*leader) != NodeState::Active && world.alive.contains(leader) && somebody_else
        };
        let urgent: Vec<_> = leading.iter().filter(|(group, leader)| must_go(group, leader)).collect();
        prop_assert!(urgent.iter().all(|(group, _)| moved.contains_key(group)));
        prop_assert!(planned.len() <= limit.max(urgent.len()));
    }

    #[test]
    fn it_ends_even_or_as_even_as_the_voters_allow(
        world in worlds(), draws in vec(0usize..10, 1..20), limit in 10usize..40,
    ) {
        let mut leading = world.somebody_leads(&draws);
        world.settle_leaders(&mut leading, limit);
        let loads = counts(&world, leading.values().copied());
        if loads.is_empty() {
            return Ok(());
        }
        let tenth = loads.values().sum::<usize>() / loads.len() / 10;
        // Nodes to which the fullest node's groups could go, directly or by others making room.
        let fullest = *loads.iter().max_by_key(|(_, load)| **load).unwrap().0;
        let mut reachable = BTreeSet::from([fullest]);
        for _ in 0..loads.len() {
            let led = leading.iter().filter(|(_, leader)| reachable.contains(leader));
            let voters: Vec<NodeId> = led.flat_map(|(group, _)| world.voters(*group)).collect();
            reachable.extend(voters.into_iter().filter(|node| loads.contains_key(node)));
        }
        let emptiest = reachable.iter().map(|node| loads[node]).min().unwrap();
        let all_emptiest = loads.values().min().unwrap();
        let even = loads[&fullest] - all_emptiest <= tenth.max(1);
        prop_assert!(even || loads[&fullest] <= emptiest + 1, "{:?}", loads);
    }

    #[test]
    fn in_a_cluster_that_was_placed_well_every_group_returns_to_its_preferred_leader_or_all_are_even(
        zones in 1usize..4, each in 1usize..4, count in 1u32..60, draws in vec(0usize..10, 1..20),
    ) {
        let mut world = World::new(&(0..zones * each).map(|i| i % zones).collect::<Vec<_>>());
        let replication = world.usable().len().min(3) as u8;
        let placed = place(&world.catalog, &world.alive, replication, count).unwrap();
        world.create(replication, placed);
        let mut leading = world.somebody_leads(&draws);
        world.settle_leaders(&mut leading, 10);
        let loads = counts(&world, leading.values().copied());
        let tenth = loads.values().sum::<usize>() / loads.len() / 10;
        prop_assert!(difference(&loads) <= tenth.max(1), "{:?}", loads);
    }
}
