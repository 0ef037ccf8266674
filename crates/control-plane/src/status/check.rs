//! Whether a node may be drained, or may leave, without harm.

use std::collections::BTreeSet;

use catalog_state::{NodeState, Shard, StreamStatus};
use types::NodeId;

use super::Facts;
use super::words::{count, names};

/// Why a node should not become that now, in words; an operator may insist. Never an objection to a state that it has already, nor to
/// active.
///
/// A node that is *drained* is about to be stopped: every shard of which it holds a replica, and the catalog, must go on without it, beside
/// those that are down or being drained already. A node that *leaves* hands everything to others: there must be enough of them for as
/// many replicas as streams ask for, and its shards must have a quorum, or they can't be changed.
pub(crate) fn check_node_state(facts: &Facts, id: NodeId, state: NodeState) -> Result<(), String> {
    let known = facts.catalog.nodes().get(&id).map(|node| node.state);
    match state {
        _ if known == Some(state) => Ok(()),
        NodeState::Active => Ok(()),
        NodeState::Draining => Checker::new(facts, id).drain(),
        NodeState::Leaving => Checker::new(facts, id).leave(),
    }
}

struct Checker<'a> {
    facts: &'a Facts,
    id: NodeId,
    alive: BTreeSet<NodeId>,
    /// The other nodes that are active and alive.
    usable: BTreeSet<NodeId>,
}

impl<'a> Checker<'a> {
    fn new(facts: &'a Facts, id: NodeId) -> Checker<'a> {
        let alive = facts.view().alive;
        let nodes = facts.catalog.nodes();
        let is_active = |other: &NodeId| nodes.get(other).is_some_and(|node| node.state == NodeState::Active);
        let usable = alive.iter().copied().filter(|other| *other != id && is_active(other)).collect();
        Checker { facts, id, alive, usable }
    }

    /// The shards of which the node holds a replica, each with as many as it should have.
    fn held(&self) -> impl Iterator<Item = (usize, &'a Shard)> {
        let staying = self.facts.catalog.shards().filter(|(stream, _)| stream.status != StreamStatus::Deleting);
        let held = staying.filter(|(_, shard)| shard.voter_on(self.id).is_some());
        held.map(|(stream, shard)| (usize::from(stream.replication), shard))
    }

    fn drain(&self) -> Result<(), String> {
        let goes_on = |voters: &mut dyn Iterator<Item = NodeId>, of: usize| {
            voters.filter(|voter| self.usable.contains(voter)).count() * 2 > of
        };
        let damaged = self.facts.damaged();
        let replicas = |shard: &Shard| {
            let sound = shard.replicas.iter().filter(|replica| !damaged.contains(&(shard.group, **replica)));
            sound.map(|replica| replica.node()).collect::<Vec<_>>()
        };
        let stops = |shard: &Shard| !goes_on(&mut replicas(shard).into_iter(), shard.replicas.len());
        let stopped = self.held().filter(|(_, shard)| stops(shard)).count();
        let others = self.unusable();
        if stopped > 0 {
            let (id, shards) = (self.id, count(stopped, "shard"));
            return Err(format!("if node {id} stopped, {shards} would be without a majority of replicas{others}"));
        }
        let voters = &self.facts.group.voters;
        if voters.contains(&self.id) && !goes_on(&mut voters.iter().copied(), voters.len()) {
            return Err(format!(
                "if node {} stopped, the catalog would be without a majority of voters{others}",
                self.id
            ));
        }
        Ok(())
    }

    /// The other nodes that don't count, as the end of a sentence.
    fn unusable(&self) -> String {
        let others = self.facts.catalog.nodes().keys().copied().filter(|other| *other != self.id);
        let unusable: Vec<NodeId> = others.filter(|other| !self.usable.contains(other)).collect();
        match &unusable[..] {
            [] => String::new(),
            [_] => format!(", since {} is down or being drained too", names(&unusable)),
            _ => format!(", since {} are down or being drained too", names(&unusable)),
        }
    }

    fn leave(&self) -> Result<(), String> {
        let id = self.id;
        let nodes = self.facts.catalog.nodes();
        let staying = |other: &&NodeId| {
            **other != id && nodes[*other].state != NodeState::Leaving && !self.facts.is_lost(**other)
        };
        let left = nodes.keys().filter(staying).count();
        let wanted = self.held().map(|(replication, _)| replication).max().unwrap_or(1);
        if left < wanted {
            let (left, wanted) = (count(left, "node"), count(wanted, "replica"));
            return Err(format!("without node {id} there would be {left} for shards that should have {wanted}"));
        }
        let has_quorum = |shard: &Shard| {
            shard.replicas.iter().filter(|replica| self.alive.contains(&replica.node())).count() * 2
                > shard.replicas.len()
        };
        let stuck = self.held().filter(|(_, shard)| !has_quorum(shard)).count();
        if stuck > 0 {
            let shards = count(stuck, "shard");
            return Err(format!("{shards} of node {id} could not move: no majority of their replicas is alive"));
        }
        Ok(())
    }
}
