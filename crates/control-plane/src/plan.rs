//! What is missing between the catalog and this node: pure.

use std::collections::{BTreeMap, BTreeSet};

use catalog_state::{CatalogState, Shard, StreamStatus};
use types::{GroupId, NodeId};

use crate::ShardOpen;

const MS_PER_HOUR: u64 = 3_600_000;

/// What this node has of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosted {
    /// Data, perhaps; it does not run.
    Stored,
    /// It runs.
    Open { retention_ms: u64 },
    /// Its data is damaged: it answers errors until an operator has decided.
    Damaged,
}

/// All groups that this node has something of, the catalog's own excepted.
pub(crate) type Actual = BTreeMap<GroupId, Hosted>;

/// One step towards what the catalog wants. Each may be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Open(ShardOpen),
    SetRetention { group: GroupId, retention_ms: u64 },
    Drop(GroupId),
    DeclareReady { stream: u64 },
    Forget { stream: u64 },
}

/// The steps that can be taken now, in the order of names and shards. Steps that need others' success come with a later look:
/// a stream is declared ready when its groups run, and forgotten when they are gone.
///
/// A shard has one replica in this release, on the one node, so that "all groups of the stream run" is seen here alone.
pub(crate) fn plan(catalog: &CatalogState, actual: &Actual, node: NodeId) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut wanted = BTreeSet::new();
    for stream in catalog.streams() {
        let here = stream.shards.values().filter(|shard| shard.replicas.contains(&node));
        if stream.status == StreamStatus::Deleting {
            if !here.into_iter().any(|shard| actual.contains_key(&shard.group)) {
                actions.push(Action::Forget { stream: stream.id });
            }
            continue;
        }
        let retention_ms = u64::from(stream.retention_hours) * MS_PER_HOUR;
        let mut all_run = true;
        for shard in here {
            wanted.insert(shard.group);
            all_run &= matches!(actual.get(&shard.group), Some(Hosted::Open { .. }));
            actions.extend(step_for(shard, actual.get(&shard.group), retention_ms));
        }
        if stream.status == StreamStatus::Creating && all_run {
            actions.push(Action::DeclareReady { stream: stream.id });
        }
    }
    actions.extend(actual.keys().filter(|group| !wanted.contains(group)).map(|group| Action::Drop(*group)));
    actions
}

fn step_for(shard: &Shard, hosted: Option<&Hosted>, retention_ms: u64) -> Option<Action> {
    match hosted {
        None | Some(Hosted::Stored) => Some(Action::Open(ShardOpen {
            group: shard.group,
            shard: shard.id,
            created_sec: shard.created.seconds(),
            members: shard.replicas.clone(),
            retention_ms,
        })),
        Some(Hosted::Open { retention_ms: today }) if *today != retention_ms => {
            Some(Action::SetRetention { group: shard.group, retention_ms })
        }
        Some(Hosted::Open { .. } | Hosted::Damaged) => None,
    }
}

/// What is known of a group after a step has succeeded.
pub(crate) fn succeeded(actual: &mut Actual, action: &Action) {
    match action {
        Action::Open(open) => {
            actual.insert(open.group, Hosted::Open { retention_ms: open.retention_ms });
        }
        Action::SetRetention { group, retention_ms } => {
            actual.insert(*group, Hosted::Open { retention_ms: *retention_ms });
        }
        Action::Drop(group) => {
            actual.remove(group);
        }
        Action::DeclareReady { .. } | Action::Forget { .. } => {}
    }
}

#[cfg(test)]
mod tests;
