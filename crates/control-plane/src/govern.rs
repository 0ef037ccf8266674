//! What the catalog's leader has done next, by what all nodes report: pure.

use std::collections::{BTreeMap, BTreeSet};

use catalog_state::{CatalogCommand, CatalogState, NodeState, Shard, Stream, StreamStatus};
use types::{GroupId, NodeId, ReplicaId};

use crate::calls::Report;
use crate::placement::{self, Transfer};

/// What is known of the nodes beside the catalog.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// What nodes have reported just now; those that are missing did not answer.
    pub(crate) reports: BTreeMap<NodeId, Report>,
    /// Nodes that answer.
    pub(crate) alive: BTreeSet<NodeId>,
    /// Nodes that have been dead for so long that their replicas are replaced.
    pub(crate) lost: BTreeSet<NodeId>,
    /// Who leads the catalog's group.
    pub(crate) catalog_leader: Option<NodeId>,
    /// The voters and the learners of the catalog's group.
    pub(crate) voters: BTreeSet<NodeId>,
    pub(crate) learners: BTreeSet<NodeId>,
    /// Nodes that are members of it with a replica that they have lost, and have another one by now.
    pub(crate) outdated: BTreeSet<NodeId>,
}

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) changes: usize,
    pub(crate) transfers: usize,
}

/// What is to be done. Each may be repeated, and none depends on another of the same round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    Propose(CatalogCommand),
    Transfer(Transfer),
    /// Make these the members of the catalog's group.
    CatalogMembers {
        voters: BTreeSet<NodeId>,
        learners: BTreeSet<NodeId>,
    },
    /// Have this node lead the catalog's group.
    CatalogLeader {
        to: NodeId,
    },
}

/// Whether streams wait for all nodes to have done their part.
pub(crate) fn is_waiting(catalog: &CatalogState) -> bool {
    catalog.streams().any(|stream| matches!(stream.status, StreamStatus::Creating | StreamStatus::Deleting))
}

/// The next orders.
pub(crate) fn orders(catalog: &CatalogState, view: &View, pace: Pace) -> Vec<Order> {
    let mut orders: Vec<Order> = Vec::new();
    orders.extend(catalog.streams().filter_map(|stream| stream_order(stream, view)));
    let rebuilt = rebuilds(catalog, view);
    let limit = pace.changes.saturating_sub(rebuilt.len());
    orders.extend(rebuilt.into_iter().map(Order::Propose));
    let changes = placement::changes(catalog, &view.alive, &view.lost, limit).into_iter().map(|change| {
        tracing::info!(group = %change.group, from = ?change.from, to = ?change.to, reason = %change.reason, "replicas move");
        CatalogCommand::ChangeReplicas { group: change.group, from: change.from, to: change.to }
    });
    orders.extend(changes.map(Order::Propose));
    let leaders = leaders(view);
    orders.extend(placement::leaders(catalog, &leaders, &view.alive, pace.transfers).into_iter().map(Order::Transfer));
    orders.extend(removals(catalog, view).map(Order::Propose));
    match catalog_members(catalog, view) {
        // Who changes the members has to lead them; the leader moves in the next round.
        Some(order) => orders.push(order),
        None => orders.extend(catalog_leader(catalog, view)),
    }
    orders
}

fn stream_order(stream: &Stream, view: &View) -> Option<Order> {
    match stream.status {
        StreamStatus::Creating => {
            let led =
                |shard: &Shard| view.reports.values().any(|report| report.led.binary_search(&shard.group).is_ok());
            let ready = stream.shards.values().all(led);
            ready.then_some(Order::Propose(CatalogCommand::StreamReady { id: stream.id }))
        }
        StreamStatus::Deleting => {
            // A node that is down drops what it has when it comes back and finds the stream unknown.
            let gone =
                |node: &NodeId| view.reports.get(node).is_some_and(|report| !report.remains.contains(&stream.id));
            let concerned = stream.shards.values().flat_map(Shard::hosted).map(ReplicaId::node);
            let concerned: BTreeSet<NodeId> = concerned.filter(|node| view.alive.contains(node)).collect();
            concerned.iter().all(gone).then_some(Order::Propose(CatalogCommand::StreamGone { id: stream.id }))
        }
        StreamStatus::Active | StreamStatus::Updating => None,
    }
}

/// A replica that no longer works gets a successor on its own node: it must not vote again, since it may have forgotten what it promised.
fn rebuilds(catalog: &CatalogState, view: &View) -> Vec<CatalogCommand> {
    let damaged = damaged(catalog, view.reports.values());
    if damaged.is_empty() {
        return Vec::new();
    }
    let rebuild = |shard: &Shard| {
        // A node that is to be stopped gets nothing new, and one that is leaving is emptied by other changes.
        let is_active = |node: NodeId| catalog.nodes().get(&node).is_some_and(|known| known.state == NodeState::Active);
        let is_bad = |replica: &&ReplicaId| damaged.contains(&(shard.group, **replica)) && is_active(replica.node());
        let bad = shard.replicas.iter().find(is_bad)?;
        let next = shard.next_replica(bad.node())?;
        let to = shard.replicas.iter().map(|replica| if replica == bad { next } else { *replica }).collect();
        tracing::warn!(group = %shard.group, replica = %bad, successor = %next, "a damaged replica is rebuilt from the others");
        Some(CatalogCommand::ChangeReplicas { group: shard.group, from: shard.replicas.clone(), to })
    };
    let able = |(stream, shard): &(&Stream, &Shard)| {
        let good = shard
            .replicas
            .iter()
            .filter(|replica| view.alive.contains(&replica.node()) && !damaged.contains(&(shard.group, **replica)));
        stream.status != StreamStatus::Deleting
            && stream.status != StreamStatus::Creating
            && shard.target.is_none()
            && good.count() * 2 > shard.replicas.len()
    };
    catalog.shards().filter(able).filter_map(|(_, shard)| rebuild(shard)).collect()
}

/// The replicas that no longer work and never will: those that their nodes say so of, and those of nodes that have lost their data.
pub(crate) fn damaged<'a>(
    catalog: &CatalogState,
    reports: impl Iterator<Item = &'a Report>,
) -> BTreeSet<(GroupId, ReplicaId)> {
    let lost = catalog.shards().flat_map(|(_, shard)| shard.lost.iter().map(|replica| (shard.group, *replica)));
    reports.flat_map(|report| report.damaged.iter().copied()).chain(lost).collect()
}

pub(crate) fn leaders(view: &View) -> BTreeMap<GroupId, NodeId> {
    let led = view.reports.iter().flat_map(|(node, report)| report.led.iter().map(|group| (*group, *node)));
    led.collect()
}

/// Nodes that have left: nothing is on them any more, and they don't vote.
fn removals<'a>(catalog: &'a CatalogState, view: &'a View) -> impl Iterator<Item = CatalogCommand> + 'a {
    let leaving = catalog.nodes().iter().filter(|(_, node)| node.state == NodeState::Leaving);
    let empty = |id: &NodeId| catalog.shards().all(|(_, shard)| shard.hosted_on(*id).is_none());
    leaving
        .map(|(id, _)| *id)
        .filter(move |id| !view.voters.contains(id) && empty(id))
        .map(|id| CatalogCommand::RemoveNode { id })
}

pub(crate) fn catalog_members(catalog: &CatalogState, view: &View) -> Option<Order> {
    let wanted = placement::catalog_members(catalog, &view.alive, &view.lost, &view.voters, &view.learners);
    let renewable = |node: &NodeId| view.outdated.contains(node) && view.alive.contains(node);
    let as_wanted = wanted.voters == view.voters
        && wanted.learners == view.learners
        && !wanted.voters.union(&wanted.learners).any(renewable);
    (!as_wanted && !wanted.voters.is_empty())
        .then_some(Order::CatalogMembers { voters: wanted.voters, learners: wanted.learners })
}

fn catalog_leader(catalog: &CatalogState, view: &View) -> Option<Order> {
    let to = placement::catalog_leader(catalog, &view.alive, &view.voters, view.catalog_leader?)?;
    Some(Order::CatalogLeader { to })
}

#[cfg(test)]
mod tests;
