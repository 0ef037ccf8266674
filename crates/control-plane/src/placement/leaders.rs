//! The next transfers of leaders.

use std::collections::{BTreeMap, BTreeSet};

use catalog_state::{CatalogState, NodeState, Shard};
use types::{GroupId, NodeId};

use super::board::Board;
use super::even_out::{Loads, Step, even_out, is_even, shift};

/// The leader of a group hands over to another voter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The group.
    pub group: GroupId,
    /// Who leads.
    pub from: NodeId,
    /// Who is to lead.
    pub to: NodeId,
}

/// The next transfers, the most urgent first. `leaders` says who leads the shards' groups, as far as is known; others are left alone.
///
/// All groups that a draining or leaving node leads go first, however many, because somebody waits to stop it. Of the rest, at most
/// `limit` together with those: to preferred leaders that have fewer groups, then from the fullest to the emptiest until the nodes are
/// even within one, or a tenth. Only to voters that are active and alive; a group whose members are changing is left in peace unless its
/// leader must go. Carried out again and again, this ends.
#[must_use]
pub fn leaders(
    catalog: &CatalogState,
    leaders: &BTreeMap<GroupId, NodeId>,
    alive: &BTreeSet<NodeId>,
    limit: usize,
) -> Vec<Transfer> {
    let board = Board::new(catalog, alive, &BTreeSet::new());
    let led: Vec<Led<'_>> = board
        .shards()
        .iter()
        .filter_map(|placed| leaders.get(&placed.group()).map(|leader| Led { shard: placed.shard, leader: *leader }))
        .collect();
    let mut loads: Loads = board.replicas().keys().map(|node| (*node, 0)).collect();
    led.iter().for_each(|led| shift(&mut loads, None, Some(led.leader)));
    let mut planner = Planner { catalog, alive, led, loads, transfers: BTreeMap::new(), order: Vec::new() };
    planner.evacuate();
    planner.prefer(limit);
    planner.even_out(limit);
    planner.order
}

struct Led<'a> {
    shard: &'a Shard,
    leader: NodeId,
}

struct Planner<'a> {
    catalog: &'a CatalogState,
    alive: &'a BTreeSet<NodeId>,
    led: Vec<Led<'a>>,
    /// Groups that each usable node leads, planned transfers included.
    loads: Loads,
    /// Groups with a planned transfer: each has one at most.
    transfers: BTreeMap<GroupId, NodeId>,
    order: Vec<Transfer>,
}

impl Planner<'_> {
    fn is_usable(&self, node: NodeId) -> bool {
        self.loads.contains_key(&node)
    }

    /// Voters that could lead a group, and stay its voters.
    fn candidates(&self, shard: &Shard) -> Vec<NodeId> {
        let stays = |node: &NodeId| {
            shard.target.as_ref().is_none_or(|target| target.iter().any(|replica| replica.node() == *node))
        };
        let able = shard.replicas.iter().filter(|replica| !shard.lost.contains(replica));
        able.map(|replica| replica.node()).filter(|node| self.is_usable(*node)).filter(stays).collect()
    }

    fn plan(&mut self, group: GroupId, from: NodeId, to: NodeId) {
        self.transfers.insert(group, to);
        self.order.push(Transfer { group, from, to });
        shift(&mut self.loads, Some(from), Some(to));
    }

    fn evacuate(&mut self) {
        for i in 0..self.led.len() {
            let Led { shard, leader } = self.led[i];
            let state = self.catalog.nodes().get(&leader).map(|node| node.state);
            // A leader that is down can't hand over; its group elects another.
            if state.is_none_or(|state| state == NodeState::Active) || !self.alive.contains(&leader) {
                continue;
            }
            let best =
                self.candidates(shard).into_iter().enumerate().min_by_key(|(place, node)| (self.loads[node], *place));
            if let Some((_, to)) = best {
                self.plan(shard.group, leader, to);
            }
        }
    }

    /// Transfers that aren't urgent are those of groups at rest, from a node that could go on leading.
    fn may_rest(&self, led: &Led<'_>) -> bool {
        led.shard.target.is_none() && self.is_usable(led.leader) && !self.transfers.contains_key(&led.shard.group)
    }

    fn prefer(&mut self, limit: usize) {
        for i in 0..self.led.len() {
            let Led { shard, leader } = self.led[i];
            let Some(preferred) = shard.replicas.first().map(|replica| replica.node()) else { continue };
            // Never at the cost of evenness, or the two would take turns for ever.
            let fewer = self.candidates(shard).contains(&preferred)
                && self.may_rest(&self.led[i])
                && self.loads[&preferred] < self.loads[&leader];
            if fewer && self.order.len() < limit {
                self.plan(shard.group, leader, preferred);
            }
        }
    }

    fn even_out(&mut self, limit: usize) {
        while !is_even(&self.loads) {
            // A way of several steps makes nothing more even until all are taken.
            let steps = even_out(&self.loads, limit.saturating_sub(self.order.len()), |node| {
                let led = self.led.iter().filter(|led| led.leader == node && self.may_rest(led));
                let targets: BTreeSet<NodeId> = led.flat_map(|led| self.candidates(led.shard)).collect();
                targets.into_iter().filter(|target| *target != node).collect()
            });
            let Some(steps) = steps else { return };
            for step in steps {
                let Some(group) = self.group_for(step) else { return };
                self.plan(group, step.from, step.to);
            }
        }
    }

    /// A group that can take a step, rather one that returns to its preferred leader.
    fn group_for(&self, step: Step) -> Option<GroupId> {
        let led = self.led.iter().filter(|led| led.leader == step.from && self.may_rest(led));
        let possible = led.filter(|led| self.candidates(led.shard).contains(&step.to));
        let prefers = |led: &&Led<'_>| led.shard.replicas.first().is_none_or(|replica| replica.node() != step.to);
        possible.min_by_key(|led| (prefers(led), led.shard.group)).map(|led| led.shard.group)
    }
}
