//! The next changes of shards' members.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use catalog_state::{CatalogState, StreamStatus};
use types::{GroupId, NodeId, ReplicaId};

use super::board::{Board, Placed};
use super::even_out::{Step, even_out, is_even};

/// A change of a shard's members, for [`catalog_state::CatalogCommand::ChangeReplicas`]: one replica is replaced, added or dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The shard's group.
    pub group: GroupId,
    /// Its replicas today.
    pub from: Vec<ReplicaId>,
    /// What they are to be, the preferred leader first.
    pub to: Vec<ReplicaId>,
    /// What for.
    pub reason: ChangeReason,
}

/// What a change is for, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeReason {
    /// A replica's node has been dead for long.
    Repair,
    /// The shard has fewer replicas than its stream asks for.
    Replicate,
    /// A replica's node is leaving.
    Decommission,
    /// Two replicas are in one zone where another zone has none, or as unevenly with more.
    Spread,
    /// A node has at least two replicas more than another.
    Balance,
}

impl ChangeReason {
    /// The name that people read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeReason::Repair => "repair",
            ChangeReason::Replicate => "replicate",
            ChangeReason::Decommission => "decommission",
            ChangeReason::Spread => "spread over zones",
            ChangeReason::Balance => "balance",
        }
    }
}

impl fmt::Display for ChangeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The next changes, the most urgent first: at most `limit`, those under way included.
///
/// `alive` are the nodes that answer now, `lost` those that have been dead for so long that their replicas are replaced. Only shards
/// without a target and with a quorum are changed, since no other can be, and none so that it would lose its quorum. A lost replica that
/// no node can replace stays: it does no harm, and it may be back. One on a leaving node is dropped without replacement only if no
/// node that is down or draining for a while could take it later, and the others are a quorum.
///
/// Carried out again and again, this ends: with as many replicas as streams ask for and nodes allow, none on leaving nodes, each shard
/// spread over its zones, and the nodes of a zone even within one, as are all nodes where zones are of one size.
#[must_use]
pub fn changes(catalog: &CatalogState, alive: &BTreeSet<NodeId>, lost: &BTreeSet<NodeId>, limit: usize) -> Vec<Change> {
    let board = Board::new(catalog, alive, lost);
    let under_way = board.shards().iter().filter(|placed| placed.busy).count();
    let mut planner = Planner { board, left: limit.saturating_sub(under_way), changes: Vec::new() };
    planner.repair();
    planner.replicate();
    planner.decommission();
    planner.spread();
    planner.balance();
    planner.changes
}

/// A change under way that can't be completed, for [`catalog_state::CatalogCommand::AbandonChange`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// The shard's group.
    pub group: GroupId,
    /// What its replicas were to be.
    pub to: Vec<ReplicaId>,
}

/// The changes under way whose new replica is on a node that has been dead for long, or has lost its data. Before one is given up, its group must be made to
/// forget the new replica.
#[must_use]
pub fn abandoned(catalog: &CatalogState, lost: &BTreeSet<NodeId>) -> Vec<Abandoned> {
    let staying = catalog.shards().filter(|(stream, _)| stream.status != StreamStatus::Deleting);
    let under_way = staying.filter_map(|(_, shard)| shard.target.as_ref().map(|target| (shard, target)));
    let hopeless = under_way.filter(|(shard, target)| {
        let mut new = target.iter().filter(|replica| !shard.replicas.contains(replica));
        new.any(|replica| lost.contains(&replica.node()) || shard.lost.contains(replica))
    });
    hopeless.map(|(shard, target)| Abandoned { group: shard.group, to: target.clone() }).collect()
}

struct Planner<'a> {
    board: Board<'a>,
    /// Changes that may still be planned.
    left: usize,
    changes: Vec<Change>,
}

impl<'a> Planner<'a> {
    /// The shards that can be changed now, by their place on the board.
    fn idle(&self) -> impl Iterator<Item = (usize, &Placed<'a>)> {
        let all = self.board.shards().iter().enumerate();
        all.filter(|(_, placed)| !placed.busy && self.board.has_quorum(&placed.shard.replicas))
    }

    /// Those of them whose replicas all stay.
    fn settled(&self) -> impl Iterator<Item = (usize, &Placed<'a>)> {
        let goes = |replica: &ReplicaId| self.board.is_lost(replica.node()) || self.board.is_leaving(replica.node());
        self.idle().filter(move |(_, placed)| !placed.shard.replicas.iter().any(goes))
    }

    fn plan(&mut self, index: usize, to: Vec<ReplicaId>, reason: ChangeReason) {
        if self.left == 0 || !self.board.has_quorum(&to) {
            return;
        }
        self.left -= 1;
        self.board.enter(index, &to);
        let shard = self.board.shards()[index].shard;
        self.changes.push(Change { group: shard.group, from: shard.replicas.clone(), to, reason });
    }

    /// The shard's replicas with the one at a place replaced by the best there is; `None` when no node can take it.
    fn replaced(&self, index: usize, place: usize) -> Option<Vec<ReplicaId>> {
        let shard = self.board.shards()[index].shard;
        let mut to = without(&shard.replicas, place);
        let new = self.board.destination(shard, &to)?;
        to.insert(place, new);
        Some(to)
    }

    fn repair(&mut self) {
        let lost =
            |placed: &Placed<'_>| placed.shard.replicas.iter().position(|replica| self.board.is_lost(replica.node()));
        let mut damaged: Vec<_> = self
            .idle()
            .filter_map(|(index, placed)| {
                lost(placed).map(|place| (self.board.margin(&placed.shard.replicas), index, place))
            })
            .collect();
        // Those that the next death would stop come first.
        damaged.sort();
        for (_, index, place) in damaged {
            if self.left == 0 {
                return;
            }
            if let Some(to) = self.replaced(index, place) {
                self.plan(index, to, ChangeReason::Repair);
            }
        }
    }

    fn replicate(&mut self) {
        let few = |placed: &Placed<'_>| placed.shard.replicas.len() < placed.replication;
        let mut few: Vec<_> = self
            .idle()
            .filter(|(_, placed)| few(placed))
            .map(|(index, placed)| (self.board.margin(&placed.shard.replicas), index))
            .collect();
        few.sort();
        for (_, index) in few {
            if self.left == 0 {
                return;
            }
            let shard = self.board.shards()[index].shard;
            if let Some(new) = self.board.destination(shard, &shard.replicas) {
                let to = shard.replicas.iter().copied().chain([new]).collect();
                self.plan(index, to, ChangeReason::Replicate);
            }
        }
    }

    fn decommission(&mut self) {
        let leaving = |placed: &Placed<'_>| {
            let places =
                placed.shard.replicas.iter().enumerate().filter(|(_, replica)| self.board.is_leaving(replica.node()));
            // One that is down goes first: the quorum is of those that are up.
            places.min_by_key(|(place, replica)| (self.board.is_alive(replica.node()), *place)).map(|(place, _)| place)
        };
        let found: Vec<_> =
            self.idle().filter_map(|(index, placed)| leaving(placed).map(|place| (index, place))).collect();
        for (index, place) in found {
            if self.left == 0 {
                return;
            }
            if let Some(to) = self.replaced(index, place).or_else(|| self.dropped(index, place)) {
                self.plan(index, to, ChangeReason::Decommission);
            }
        }
    }

    /// The shard's replicas without the one on a leaving node, or first without a lost one, so that those that are left are a quorum.
    /// `None` when it is the last one, or a node may come back that can take it.
    fn dropped(&self, index: usize, place: usize) -> Option<Vec<ReplicaId>> {
        let placed = &self.board.shards()[index];
        let replicas = &placed.shard.replicas;
        if replicas.len() == 1 || self.board.may_be_usable().any(|node| !placed.has(node)) {
            return None;
        }
        let lost = replicas.iter().position(|replica| self.board.is_lost(replica.node()));
        Some(without(replicas, lost.unwrap_or(place)))
    }

    fn spread(&mut self) {
        let indices: Vec<usize> = self.settled().map(|(index, _)| index).collect();
        for index in indices {
            if self.left == 0 {
                return;
            }
            if let Some(to) = self.spread_one(index) {
                self.plan(index, to, ChangeReason::Spread);
            }
        }
    }

    /// From the zone with the most of the shard's replicas to one with at least two fewer; there from its fullest node, and not from its
    /// preferred leader if it can be helped.
    fn spread_one(&self, index: usize) -> Option<Vec<ReplicaId>> {
        let shard = self.board.shards()[index].shard;
        let zones = self.board.zones(&shard.replicas);
        let (place, gone) = shard.replicas.iter().enumerate().max_by_key(|(place, replica)| {
            let load = self.board.replicas().get(&replica.node()).copied().unwrap_or(0);
            (zones[self.board.zone(replica.node())], *place > 0, load)
        })?;
        let mut to = without(&shard.replicas, place);
        let new = self.board.destination(shard, &to)?;
        let before = zones.get(self.board.zone(new.node())).copied().unwrap_or(0);
        if before + 2 > zones[self.board.zone(gone.node())] {
            return None;
        }
        to.insert(place, new);
        Some(to)
    }

    fn balance(&mut self) {
        while self.left > 0 {
            let movable = self.movable();
            let targets = |node| movable.get(&node).map(|to| to.keys().copied().collect()).unwrap_or_default();
            // A way of several steps makes nothing more even until all are taken, and each copies a replica.
            let steps_max = if is_even(self.board.replicas()) { 1 } else { self.left };
            let Some(steps) = even_out(self.board.replicas(), steps_max, targets) else { return };
            let Some(moves) = self.moves(&steps, &movable) else { return };
            for (index, to) in moves {
                self.plan(index, to, ChangeReason::Balance);
            }
        }
    }

    /// Which shards can move from node to node, their zones staying as spread as they are.
    fn movable(&self) -> BTreeMap<NodeId, BTreeMap<NodeId, Vec<usize>>> {
        let mut movable: BTreeMap<NodeId, BTreeMap<NodeId, Vec<usize>>> = BTreeMap::new();
        for (index, placed) in self.settled() {
            let zones = self.board.zones(&placed.shard.replicas);
            let in_zone = |node| zones.get(self.board.zone(node)).copied().unwrap_or(0);
            for from in
                placed.shard.replicas.iter().map(|replica| replica.node()).filter(|node| self.board.is_usable(*node))
            {
                let targets = self.board.replicas().keys().copied().filter(|node| !placed.has(*node));
                for to in
                    targets.filter(|to| self.board.zone(*to) == self.board.zone(from) || in_zone(*to) < in_zone(from))
                {
                    movable.entry(from).or_default().entry(to).or_default().push(index);
                }
            }
        }
        movable
    }

    /// A shard for each step, none twice.
    fn moves(
        &self,
        steps: &[Step],
        movable: &BTreeMap<NodeId, BTreeMap<NodeId, Vec<usize>>>,
    ) -> Option<Vec<(usize, Vec<ReplicaId>)>> {
        let mut used = BTreeSet::new();
        steps
            .iter()
            .map(|step| {
                let firsts = |node: NodeId| self.board.firsts().get(&node).copied().unwrap_or(0);
                // First places move along where that makes them more even; elsewhere leaders are left in peace.
                let wants_first = firsts(step.from) > firsts(step.to) + 1;
                let leads = |index: &usize| {
                    let first = self.board.shards()[*index].shard.replicas.first();
                    first.is_some_and(|replica| replica.node() == step.from)
                };
                let free = movable[&step.from][&step.to].iter().filter(|index| !used.contains(*index));
                let index = *free.min_by_key(|index| (Reverse(leads(index) == wants_first), **index))?;
                used.insert(index);
                let shard = self.board.shards()[index].shard;
                let new = shard.next_replica(step.to)?;
                let moved = |old: &ReplicaId| if old.node() == step.from { new } else { *old };
                Some((index, shard.replicas.iter().map(moved).collect()))
            })
            .collect()
    }
}

fn without(replicas: &[ReplicaId], place: usize) -> Vec<ReplicaId> {
    let mut rest = replicas.to_vec();
    rest.remove(place);
    rest
}
