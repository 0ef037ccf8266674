//! What is missing between the catalog and this node: pure.

use std::collections::{BTreeMap, BTreeSet};

use catalog_state::{CatalogState, Shard, Stream, StreamStatus};
use types::{GroupId, NodeId, ReplicaId};

use crate::ShardOpen;

const MS_PER_HOUR: u64 = 3_600_000;

/// What this node has of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosted {
    /// Data, perhaps; it does not run.
    Stored,
    /// It runs.
    Open { retention_ms: u64 },
    /// Its data is damaged: it answers errors until another takes its place, or an operator has decided.
    Damaged,
}

/// A replica of a group, on this node.
pub(crate) type Place = (GroupId, ReplicaId);

/// All replicas that this node has something of, the catalog's own excepted.
pub(crate) type Actual = BTreeMap<Place, Hosted>;

/// One step towards what the catalog wants. Each may be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Open(ShardOpen),
    SetRetention { place: Place, retention_ms: u64 },
    Drop(Place),
}

/// The steps that can be taken now, in the order of names and shards. Nothing is dropped before the catalog here `is_fresh`: after a
/// restart it may be older than what this node has done by it, and would take a replica for a stranger that has voted since.
pub(crate) fn plan(catalog: &CatalogState, actual: &Actual, node: NodeId, is_fresh: bool) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut wanted = BTreeSet::new();
    for (stream, shard) in catalog.shards().filter(|(stream, _)| stream.status != StreamStatus::Deleting) {
        let Some(replica) = shard.hosted_on(node) else { continue };
        let place = (shard.group, replica);
        wanted.insert(place);
        if shard.lost.contains(&replica) {
            continue;
        }
        actions.extend(step_for(stream, shard, replica, actual.get(&place)));
    }
    // One that this state can't know yet is no stranger.
    let strangers = actual.keys().filter(|place| is_fresh && !wanted.contains(place) && place.0 < catalog.next_group());
    actions.extend(strangers.map(|place| Action::Drop(*place)));
    actions
}

fn step_for(stream: &Stream, shard: &Shard, replica: ReplicaId, hosted: Option<&Hosted>) -> Option<Action> {
    let retention_ms = u64::from(stream.retention_hours) * MS_PER_HOUR;
    match hosted {
        None | Some(Hosted::Stored) => Some(Action::Open(ShardOpen {
            group: shard.group,
            replica,
            shard: shard.id,
            created_sec: shard.created.seconds(),
            founders: founders(stream, shard),
            retention_ms,
        })),
        Some(Hosted::Open { retention_ms: today }) if *today != retention_ms => {
            Some(Action::SetRetention { place: (shard.group, replica), retention_ms })
        }
        Some(Hosted::Open { .. } | Hosted::Damaged) => None,
    }
}

/// As long as a stream is being created its groups may have to be formed, by whichever replicas come first. Later they have been, perhaps
/// with other members since, and a replica that formed its group once more would contradict the others.
fn founders(stream: &Stream, shard: &Shard) -> Vec<ReplicaId> {
    if stream.status == StreamStatus::Creating { shard.replicas.clone() } else { Vec::new() }
}

/// What is known of a replica after a step has succeeded.
pub(crate) fn succeeded(actual: &mut Actual, action: &Action) {
    match action {
        Action::Open(open) => {
            actual.insert((open.group, open.replica), Hosted::Open { retention_ms: open.retention_ms });
        }
        Action::SetRetention { place, retention_ms } => {
            actual.insert(*place, Hosted::Open { retention_ms: *retention_ms });
        }
        Action::Drop(place) => {
            actual.remove(place);
        }
    }
}

#[cfg(test)]
mod tests;
