//! Who votes in the catalog's own group.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use catalog_state::{CatalogState, Node, NodeState};
use types::NodeId;

/// Voters of the catalog at most: five survive the loss of two nodes; more would slow each command for a loss that the shards, with
/// three replicas, don't survive anyway.
const VOTERS_MAX: usize = 5;

/// The members of the catalog's group. In it a node has one replica, of the generation that the catalog
/// knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogMembers {
    /// They decide. Never empty, unless the cluster has no node and had no voter.
    pub voters: BTreeSet<NodeId>,
    /// They follow: all other nodes.
    pub learners: BTreeSet<NodeId>,
}

/// Who should vote in the catalog's group, given who does.
///
/// 5 voters where five nodes or more stay, 3 where three or four do, else 1: an even number survives no more losses than the odd one
/// below it. Two nodes have one voter, since with two either one's death would stop the catalog. Nodes that are leaving don't count,
/// nor those that are `lost`, which means dead for long.
///
/// Voters are kept as long as they stay: a node that is down for a moment, or draining, keeps its vote. A lost one is replaced by an
/// active node that is alive, learners first. Where none is left to take its place, three voters stay three, the lost one among them,
/// rather than become one: what is committed should be on two disks. Voters are spread over zones; a voter is replaced for that
/// only if its zone has two more than another with a node to spare. Without a quorum nothing can be decided, and nobody changes. What this
/// returns, given back to it, it returns again.
#[must_use]
pub fn catalog_members(
    catalog: &CatalogState,
    alive: &BTreeSet<NodeId>,
    lost: &BTreeSet<NodeId>,
    voters: &BTreeSet<NodeId>,
    learners: &BTreeSet<NodeId>,
) -> CatalogMembers {
    let working = voters.intersection(alive).filter(|id| !lost.contains(id)).count();
    if !voters.is_empty() && working * 2 <= voters.len() {
        let others = catalog.nodes().keys().filter(|id| !voters.contains(id)).copied();
        return CatalogMembers { learners: others.collect(), voters: voters.clone() };
    }
    let stays = |id: &NodeId, node: &Node| node.state != NodeState::Leaving && !lost.contains(id);
    let staying: BTreeSet<NodeId> =
        catalog.nodes().iter().filter(|(id, node)| stays(id, node)).map(|(id, _)| *id).collect();
    let kept: BTreeSet<NodeId> = voters.intersection(&staying).copied().collect();
    let mut election = Election { catalog, alive, learners, staying, chosen: kept };
    election.choose();
    let mut chosen = election.chosen;
    keep_three(catalog, voters, lost, &mut chosen);
    if chosen.is_empty() {
        // Nobody who stays can vote: the others go on, or nothing could be decided any more.
        chosen = voters.iter().filter(|id| catalog.nodes().contains_key(id)).copied().collect();
    }
    if chosen.is_empty() {
        chosen.clone_from(voters);
    }
    let others = catalog.nodes().keys().filter(|id| !chosen.contains(id)).copied();
    CatalogMembers { learners: others.collect(), voters: chosen }
}

/// Who should lead the catalog's group instead of its leader; `None` if the leader may go on, which it may as long as its node is active,
/// or nobody else can: only a voter whose node is active and alive.
#[must_use]
pub fn catalog_leader(
    catalog: &CatalogState,
    alive: &BTreeSet<NodeId>,
    voters: &BTreeSet<NodeId>,
    leader: NodeId,
) -> Option<NodeId> {
    let is_active = |id: &NodeId| catalog.nodes().get(id).is_some_and(|node| node.state == NodeState::Active);
    let mut able = voters.iter().filter(|id| **id != leader && is_active(id) && alive.contains(id));
    if is_active(&leader) { None } else { able.next().copied() }
}

/// Fills up with lost voters where three would shrink to fewer.
fn keep_three(
    catalog: &CatalogState,
    before: &BTreeSet<NodeId>,
    lost: &BTreeSet<NodeId>,
    chosen: &mut BTreeSet<NodeId>,
) {
    let not_leaving = |id: &&NodeId| catalog.nodes().get(id).is_some_and(|node| node.state != NodeState::Leaving);
    let possible: BTreeSet<NodeId> = before.iter().filter(not_leaving).copied().collect();
    let (live, dead): (Vec<NodeId>, Vec<NodeId>) = possible.iter().partition(|id| !lost.contains(id));
    if chosen.len() < 3 && live.len() == 2 && !dead.is_empty() {
        *chosen = live.into_iter().chain(dead.into_iter().take(1)).collect();
    }
}

struct Election<'a> {
    catalog: &'a CatalogState,
    alive: &'a BTreeSet<NodeId>,
    learners: &'a BTreeSet<NodeId>,
    staying: BTreeSet<NodeId>,
    chosen: BTreeSet<NodeId>,
}

impl Election<'_> {
    fn choose(&mut self) {
        let wanted = odd(self.staying.len());
        while self.chosen.len() < wanted {
            let Some(id) = self.best_new() else { break };
            self.chosen.insert(id);
        }
        let wanted = wanted.min(odd(self.chosen.len()));
        while self.chosen.len() > wanted {
            let Some(id) = self.least_useful() else { break };
            self.chosen.remove(&id);
        }
        self.spread();
    }

    /// Replaces voters of full zones by nodes of emptier ones, one by one; each makes the zones more even, so that it ends.
    fn spread(&mut self) {
        while let (Some(new), Some(old)) = (self.best_new(), self.most_crowded()) {
            let zones = self.zones();
            let in_zone = |id| zones.get(self.zone(id)).copied().unwrap_or(0);
            if in_zone(new) + 2 > in_zone(old) {
                return;
            }
            self.chosen.remove(&old);
            self.chosen.insert(new);
        }
    }

    /// The node that should become a voter: where its zone has the fewest, rather a learner, since it has the log already.
    fn best_new(&self) -> Option<NodeId> {
        let zones = self.zones();
        let new = self.staying.iter().filter(|id| !self.chosen.contains(id) && self.works(**id));
        let in_zone = |id: &NodeId| zones.get(self.zone(*id)).copied().unwrap_or(0);
        new.min_by_key(|id| (in_zone(id), !self.learners.contains(id), **id)).copied()
    }

    /// The voter that should go when there are too many: one that is down or draining, else from the zone with the most.
    fn least_useful(&self) -> Option<NodeId> {
        let zones = self.zones();
        self.chosen.iter().max_by_key(|id| (Reverse(self.works(**id)), zones[self.zone(**id)], **id)).copied()
    }

    /// The voter that should make room for one of another zone: from the zone with the most, rather one that is down or draining.
    fn most_crowded(&self) -> Option<NodeId> {
        let zones = self.zones();
        self.chosen.iter().max_by_key(|id| (zones[self.zone(**id)], Reverse(self.works(**id)), **id)).copied()
    }

    fn works(&self, id: NodeId) -> bool {
        let active = self.catalog.nodes().get(&id).is_some_and(|node| node.state == NodeState::Active);
        active && self.alive.contains(&id)
    }

    fn zones(&self) -> BTreeMap<&str, usize> {
        let mut zones = BTreeMap::new();
        for id in &self.chosen {
            *zones.entry(self.zone(*id)).or_default() += 1;
        }
        zones
    }

    fn zone(&self, id: NodeId) -> &str {
        self.catalog.nodes().get(&id).map_or("", |node| &node.zone)
    }
}

/// The largest possible number of voters among so many nodes.
fn odd(nodes: usize) -> usize {
    match nodes.min(VOTERS_MAX) {
        0 => 0,
        nodes => nodes - (nodes + 1) % 2,
    }
}
