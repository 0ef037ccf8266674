//! Clusters for the tests, built by the catalog's own commands.

mod catalog_members;
mod changes;
mod leaders;
mod place;

use std::collections::{BTreeMap, BTreeSet};

use catalog_state::{AccountLimits, CatalogCommand, CatalogReply, CatalogState, ClusterId, NodeState, StreamMode};
use proptest::collection::vec;
use proptest::prelude::*;
use types::{GroupId, NodeId, ReplicaId, StreamArn, StreamName, TimestampMs};

const ZONES: [&str; 4] = ["a", "b", "c", "d"];

/// A catalog, and who is up.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) catalog: CatalogState,
    pub(crate) alive: BTreeSet<NodeId>,
    pub(crate) lost: BTreeSet<NodeId>,
    streams: u32,
}

impl World {
    /// Nodes 1, 2, … in these zones, all active and alive.
    pub(crate) fn new(zones: &[usize]) -> World {
        let mut catalog = CatalogState::new();
        let first = CatalogCommand::Initialise { cluster_id: ClusterId(1), iterator_key: [0; 32], at: TimestampMs(1) };
        catalog.apply(1, &first);
        let mut world = World { catalog, alive: BTreeSet::new(), lost: BTreeSet::new(), streams: 0 };
        for zone in zones {
            world.join(*zone);
        }
        world
    }

    pub(crate) fn command(&mut self, command: &CatalogCommand) -> CatalogReply {
        self.catalog.apply(self.catalog.applied_index() + 1, command)
    }

    pub(crate) fn join(&mut self, zone: usize) -> NodeId {
        let incarnation = self.catalog.nodes().len() as u128;
        let (api_addr, peer_addr, zone) = (String::new(), String::new(), ZONES[zone].to_owned());
        let join = CatalogCommand::JoinNode {
            incarnation,
            preferred: None,
            api_addr,
            peer_addr,
            zone,
            catalog: 0,
            starts_over: false,
        };
        let CatalogReply::Joined { id } = self.command(&join) else { panic!("no node has joined") };
        self.alive.insert(id);
        id
    }

    pub(crate) fn set(&mut self, id: u64, state: NodeState) {
        assert_eq!(self.command(&CatalogCommand::SetNodeState { id: NodeId(id), state }), CatalogReply::Done);
    }

    pub(crate) fn die(&mut self, id: u64) {
        self.alive.remove(&NodeId(id));
    }

    pub(crate) fn die_for_long(&mut self, id: u64) {
        self.die(id);
        self.lost.insert(NodeId(id));
    }

    /// Creates a stream with a shard on each list of nodes.
    pub(crate) fn create(&mut self, replication: u8, replicas: Vec<Vec<NodeId>>) {
        self.streams += 1;
        let name = StreamName::parse(&format!("s{}", self.streams)).unwrap();
        let create = CatalogCommand::CreateStream {
            arn: StreamArn::new("us-east-1", "000000000000", name).unwrap(),
            shard_count: replicas.len() as u32,
            mode: StreamMode::Provisioned,
            at: TimestampMs(1),
            replication,
            replicas,
            limits: AccountLimits::OFF,
        };
        assert!(matches!(self.command(&create), CatalogReply::Created { .. }));
    }

    pub(crate) fn state(&self, id: NodeId) -> NodeState {
        self.catalog.nodes()[&id].state
    }

    fn zone(&self, id: NodeId) -> &str {
        &self.catalog.nodes()[&id].zone
    }

    fn usable(&self) -> Vec<NodeId> {
        let nodes = self.catalog.nodes().keys().copied();
        nodes.filter(|id| self.alive.contains(id) && self.state(*id) == NodeState::Active).collect()
    }

    /// Nodes of each zone among some.
    fn zone_sizes(&self, nodes: &[NodeId]) -> BTreeMap<&str, usize> {
        let mut sizes = BTreeMap::new();
        for node in nodes {
            *sizes.entry(self.zone(*node)).or_default() += 1;
        }
        sizes
    }

    fn are_zones_of_one_size(&self) -> bool {
        let sizes: BTreeSet<usize> = self.zone_sizes(&self.usable()).into_values().collect();
        sizes.len() < 2
    }
}

pub(crate) fn nodes(ids: &[u64]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

/// How often each of the usable nodes is there.
fn counts(world: &World, there: impl Iterator<Item = NodeId>) -> BTreeMap<NodeId, usize> {
    let mut counts: BTreeMap<NodeId, usize> = world.usable().into_iter().map(|node| (node, 0)).collect();
    for node in there {
        if let Some(count) = counts.get_mut(&node) {
            *count += 1;
        }
    }
    counts
}

fn difference(counts: &BTreeMap<NodeId, usize>) -> usize {
    counts.values().max().unwrap_or(&0) - counts.values().min().unwrap_or(&0)
}

/// The least sum of squares with which a number can be spread over zones of such sizes.
fn best_spread(mut number: usize, sizes: &BTreeMap<&str, usize>) -> usize {
    let mut given: Vec<usize> = vec![0; sizes.len()];
    while number > 0 {
        let free = sizes.values().enumerate().filter(|(i, size)| given[*i] < **size);
        let (emptiest, _) = free.min_by_key(|(i, _)| given[*i]).unwrap();
        given[emptiest] += 1;
        number -= 1;
    }
    given.iter().map(|n| n * n).sum()
}

fn spread_of(world: &World, nodes: &[NodeId]) -> usize {
    world.zone_sizes(nodes).values().map(|n| n * n).sum()
}

/// One to nine nodes in up to four zones.
fn zones() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        2 => vec(0usize..4, 1..10),
        1 => (1usize..5, 1usize..4).prop_map(|(zones, each)| (0..zones * each).map(|i| i % zones).collect()),
    ]
}

/// A cluster whose shards were put anywhere, and whose nodes are in all sorts of states.
pub(crate) fn worlds() -> impl Strategy<Value = World> {
    let shards = vec(vec(0usize..100, 1..4), 1..30);
    let streams = vec((1u8..5, shards), 0..3);
    (zones(), streams, vec((0u64..9, 0u8..6), 0..4)).prop_map(|(zones, streams, troubles)| {
        let mut world = World::new(&zones);
        for (replication, shards) in streams {
            let lists = shards.into_iter().map(|draws| {
                let mut list: Vec<NodeId> = Vec::new();
                for draw in draws {
                    let node = NodeId((draw % zones.len()) as u64 + 1);
                    if !list.contains(&node) && list.len() < usize::from(replication) {
                        list.push(node);
                    }
                }
                list
            });
            let lists = lists.collect();
            world.create(replication, lists);
        }
        for (node, trouble) in troubles {
            let node = node % zones.len() as u64 + 1;
            match trouble {
                0 if world.state(NodeId(node)) == NodeState::Active => world.set(node, NodeState::Draining),
                1 | 2 => world.set(node, NodeState::Leaving),
                3 => world.die(node),
                4 | 5 => world.die_for_long(node),
                _ => {}
            }
        }
        world
    })
}
