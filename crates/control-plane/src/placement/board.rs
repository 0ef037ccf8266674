//! The catalog as a planner sees it: nodes by what may be done with them, shards that may be changed, and how full each node is.

use std::collections::{BTreeMap, BTreeSet};

use catalog_state::{CatalogState, NodeState, Shard, StreamStatus};
use types::{GroupId, NodeId, ReplicaId};

use super::even_out::{Loads, shift};

/// Changes that are planned are entered at once, so that the next one sees them as done.
pub(super) struct Board<'a> {
    nodes: BTreeMap<NodeId, Known<'a>>,
    shards: Vec<Placed<'a>>,
    /// Replicas of each usable node.
    replicas: Loads,
    /// Shards that each usable node should lead.
    firsts: Loads,
}

struct Known<'a> {
    zone: &'a str,
    state: NodeState,
    alive: bool,
    lost: bool,
}

/// A shard of a stream that stays.
pub(super) struct Placed<'a> {
    pub(super) shard: &'a Shard,
    pub(super) replication: usize,
    /// A change is under way or planned.
    pub(super) busy: bool,
}

impl Placed<'_> {
    pub(super) fn group(&self) -> GroupId {
        self.shard.group
    }

    pub(super) fn has(&self, node: NodeId) -> bool {
        self.shard.voter_on(node).is_some()
    }
}

impl<'a> Board<'a> {
    pub(super) fn new(catalog: &'a CatalogState, alive: &BTreeSet<NodeId>, lost: &BTreeSet<NodeId>) -> Board<'a> {
        let known = |(id, node): (&NodeId, &'a catalog_state::Node)| {
            let (alive, lost) = (alive.contains(id) && !lost.contains(id), lost.contains(id));
            (*id, Known { zone: &node.zone, state: node.state, alive, lost })
        };
        let nodes: BTreeMap<NodeId, Known<'a>> = catalog.nodes().iter().map(known).collect();
        let usable = nodes.iter().filter(|(_, node)| node.state == NodeState::Active && node.alive);
        let none: Loads = usable.map(|(id, _)| (*id, 0)).collect();
        let staying = catalog.streams().filter(|stream| stream.status != StreamStatus::Deleting);
        let shards: Vec<Placed<'a>> = staying
            .flat_map(|stream| stream.shards.values().map(|shard| (usize::from(stream.replication), shard)))
            .map(|(replication, shard)| Placed { shard, replication, busy: shard.target.is_some() })
            .collect();
        let (mut replicas, mut firsts) = (none.clone(), none);
        for Placed { shard, .. } in &shards {
            let planned = shard.target.as_ref().unwrap_or(&shard.replicas);
            planned.iter().for_each(|replica| shift(&mut replicas, None, Some(replica.node())));
            shift(&mut firsts, None, planned.first().map(|replica| replica.node()));
        }
        Board { nodes, shards, replicas, firsts }
    }

    pub(super) fn shards(&self) -> &[Placed<'a>] {
        &self.shards
    }

    pub(super) fn replicas(&self) -> &Loads {
        &self.replicas
    }

    pub(super) fn firsts(&self) -> &Loads {
        &self.firsts
    }

    pub(super) fn zone(&self, node: NodeId) -> &'a str {
        self.nodes.get(&node).map_or("", |known| known.zone)
    }

    /// Active and alive.
    pub(super) fn is_usable(&self, node: NodeId) -> bool {
        self.replicas.contains_key(&node)
    }

    pub(super) fn is_alive(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|known| known.alive)
    }

    /// Dead for long, or no member at all.
    pub(super) fn is_lost(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_none_or(|known| known.lost)
    }

    pub(super) fn is_leaving(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|known| known.state == NodeState::Leaving)
    }

    /// Nodes that are usable, or may be soon: they are only down for a moment, or draining.
    pub(super) fn may_be_usable(&self) -> impl Iterator<Item = NodeId> {
        let staying = self.nodes.iter().filter(|(_, known)| !known.lost && known.state != NodeState::Leaving);
        staying.map(|(id, _)| *id)
    }

    /// Whether a group of these voters can decide anything.
    pub(super) fn has_quorum(&self, replicas: &[ReplicaId]) -> bool {
        let alive = replicas.iter().filter(|replica| self.is_alive(replica.node())).count();
        alive * 2 > replicas.len()
    }

    /// Voters that may die before nothing can be decided.
    pub(super) fn margin(&self, replicas: &[ReplicaId]) -> usize {
        let alive = replicas.iter().filter(|replica| self.is_alive(replica.node())).count();
        alive.saturating_sub(replicas.len() / 2 + 1)
    }

    /// Replicas in each zone, of those that stay where they are.
    pub(super) fn zones(&self, replicas: &[ReplicaId]) -> BTreeMap<&'a str, usize> {
        let nodes = replicas.iter().map(|replica| replica.node());
        let mut zones = BTreeMap::new();
        for node in nodes.filter(|node| !self.is_lost(*node) && !self.is_leaving(*node)) {
            *zones.entry(self.zone(node)).or_default() += 1;
        }
        zones
    }

    /// The best node for one more replica of a shard whose others are `kept`: in the zone with the fewest of them, and the emptiest there.
    pub(super) fn destination(&self, shard: &Shard, kept: &[ReplicaId]) -> Option<ReplicaId> {
        let zones = self.zones(kept);
        let free = self.replicas.iter().filter(|(node, _)| shard.voter_on(**node).is_none());
        let new = free.filter_map(|(node, load)| shard.next_replica(*node).map(|replica| (*load, replica)));
        let best = new.min_by_key(|(load, replica)| {
            (zones.get(self.zone(replica.node())).copied().unwrap_or(0), *load, replica.node())
        });
        best.map(|(_, replica)| replica)
    }

    /// Enters a planned change.
    pub(super) fn enter(&mut self, index: usize, to: &[ReplicaId]) {
        let placed = &mut self.shards[index];
        placed.busy = true;
        let from = &placed.shard.replicas;
        from.iter().for_each(|replica| shift(&mut self.replicas, Some(replica.node()), None));
        to.iter().for_each(|replica| shift(&mut self.replicas, None, Some(replica.node())));
        let first = |replicas: &[ReplicaId]| replicas.first().map(|replica| replica.node());
        shift(&mut self.firsts, first(from), first(to));
    }
}
