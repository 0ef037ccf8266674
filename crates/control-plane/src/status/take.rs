//! From facts to a status.

use std::collections::{BTreeMap, BTreeSet};

use catalog_state::{Shard, Stream, StreamStatus};
use types::{GroupId, NodeId, ReplicaId};

use super::words::{Plan, waiting};
use super::{CatalogStatus, ClusterStatus, Facts, NodeStatus, ShardTotals, ShardTrouble, Trouble};
use crate::govern::{View, catalog_members};
use crate::placement;

/// Changes that are looked for beyond those under way: whether there are any decides, and what the first ones are for says enough.
const PLANNED_MAX: usize = 8;
/// The same for leaders, those of nodes that are drained excepted.
const TRANSFERS_MAX: usize = 64;

impl ClusterStatus {
    /// How the cluster of this name stands.
    pub(crate) fn take(cluster: &str, facts: &Facts) -> ClusterStatus {
        let view = facts.view();
        let look = Look::new(facts, &view);
        let shards: Vec<ShardTrouble> = look.shards().map(|(stream, shard)| look.shard(stream, shard)).collect();
        let plan = look.plan();
        let catalog = &facts.catalog;
        let mut troubled: Vec<ShardTrouble> =
            shards.iter().filter(|shard| !shard.troubles.is_empty()).cloned().collect();
        troubled.sort_by(|a, b| (&a.troubles, &a.stream, &a.shard).cmp(&(&b.troubles, &b.stream, &b.shard)));
        troubled.truncate(ClusterStatus::TROUBLED_MAX);
        let nodes: Vec<NodeStatus> = catalog.nodes().keys().map(|id| look.node(*id)).collect();
        ClusterStatus {
            cluster: cluster.to_owned(),
            cluster_id: catalog.cluster().map(|cluster| cluster.id.to_string()).unwrap_or_default(),
            answered_by: facts.own,
            catalog: look.catalog(),
            removed_nodes: catalog.removed_nodes().collect(),
            shards: look.totals(&shards),
            troubled,
            balanced: plan.is_empty(),
            waiting: waiting(facts, &view, &nodes, &plan),
            nodes,
        }
    }
}

struct Look<'a> {
    facts: &'a Facts,
    view: &'a View,
    leaders: BTreeMap<GroupId, NodeId>,
    damaged: BTreeSet<(GroupId, ReplicaId)>,
    lags: BTreeMap<GroupId, u64>,
}

impl<'a> Look<'a> {
    fn new(facts: &'a Facts, view: &'a View) -> Look<'a> {
        Look { facts, view, leaders: facts.leaders(view), damaged: facts.damaged(), lags: facts.lags() }
    }

    /// The shards that stay.
    fn shards(&self) -> impl Iterator<Item = (&'a Stream, &'a Shard)> {
        self.facts.catalog.shards().filter(|(stream, _)| stream.status != StreamStatus::Deleting)
    }

    fn plan(&self) -> Plan {
        let (catalog, view) = (&*self.facts.catalog, self.view);
        let under_way = self.shards().filter(|(_, shard)| shard.target.is_some()).count();
        let changes = placement::changes(catalog, &view.alive, &view.lost, under_way + PLANNED_MAX);
        let transfers = placement::leaders(catalog, &self.leaders, &view.alive, TRANSFERS_MAX);
        let has_leader = self.facts.leader.is_some();
        Plan {
            under_way,
            changes,
            transfers: transfers.len(),
            // Without a leader nobody knows what the members are, and nobody changes them.
            catalog_members: has_leader && catalog_members(catalog, view).is_some(),
        }
    }

    fn catalog(&self) -> CatalogStatus {
        let group = &self.facts.group;
        CatalogStatus {
            leader: self.facts.leader,
            voters: group.voters.iter().copied().collect(),
            learners: group.learners.iter().copied().collect(),
            applied_index: self.facts.catalog.applied_index(),
            lag_entries_max: group.lags.iter().map(|(_, entries)| *entries).max().unwrap_or(0),
        }
    }

    fn node(&self, id: NodeId) -> NodeStatus {
        let known = &self.facts.catalog.nodes()[&id];
        let heard = self.facts.heard(id);
        let on_node = |replicas: &[ReplicaId]| replicas.iter().any(|replica| replica.node() == id);
        let holds = |shard: &Shard| on_node(&shard.replicas);
        let gets = |shard: &Shard| shard.hosted_on(id).is_some_and(|replica| !shard.replicas.contains(&replica));
        NodeStatus {
            id,
            zone: known.zone.clone(),
            state: known.state,
            alive: heard.is_alive,
            silent_ms: heard.silent_ms,
            answered: self.facts.standings.contains_key(&id),
            api_addr: known.api_addr.clone(),
            peer_addr: known.peer_addr.clone(),
            replicas: self.shards().filter(|(_, shard)| holds(shard)).count(),
            arriving: self.shards().filter(|(_, shard)| gets(shard)).count(),
            leaders: self.leaders.values().filter(|leader| **leader == id).count(),
        }
    }

    fn shard(&self, stream: &Stream, shard: &Shard) -> ShardTrouble {
        let nodes = |replicas: &[ReplicaId]| replicas.iter().map(|replica| replica.node()).collect();
        ShardTrouble {
            stream: stream.name().to_string(),
            shard: shard.id.to_string(),
            group: shard.group.0,
            leader: self.leaders.get(&shard.group).copied(),
            replicas: nodes(&shard.replicas),
            target: shard.target.as_deref().map(nodes),
            replication: usize::from(stream.replication),
            lag_entries: self.lags.get(&shard.group).copied().unwrap_or(0),
            troubles: self.troubles(stream, shard),
        }
    }

    fn troubles(&self, stream: &Stream, shard: &Shard) -> Vec<Trouble> {
        let alive = |replica: &&ReplicaId| self.view.alive.contains(&replica.node());
        let damaged = |replica: &&ReplicaId| self.damaged.contains(&(shard.group, **replica));
        let live = shard.replicas.iter().filter(alive).count();
        let sound = shard.replicas.iter().filter(alive).filter(|replica| !damaged(replica)).count();
        let troubles = [
            (live * 2 <= shard.replicas.len(), Trouble::WithoutQuorum),
            (!self.leaders.contains_key(&shard.group), Trouble::Leaderless),
            (shard.replicas.iter().any(|replica| damaged(&replica)), Trouble::Damaged),
            (sound < usize::from(stream.replication), Trouble::UnderReplicated),
            (is_rebuild(shard), Trouble::Rebuilding),
            (shard.target.is_some(), Trouble::Moving),
        ];
        troubles.into_iter().filter(|(is_so, _)| *is_so).map(|(_, trouble)| trouble).collect()
    }

    fn totals(&self, shards: &[ShardTrouble]) -> ShardTotals {
        let with = |trouble| shards.iter().filter(|shard| shard.troubles.contains(&trouble)).count();
        let of_shards: BTreeSet<GroupId> = shards.iter().map(|shard| GroupId(shard.group)).collect();
        ShardTotals {
            streams: self.facts.catalog.streams().filter(|stream| stream.status != StreamStatus::Deleting).count(),
            shards: shards.len(),
            replicas: shards.iter().map(|shard| shard.replicas.len()).sum(),
            replication_max: shards.iter().map(|shard| shard.replication).max().unwrap_or(0),
            leaderless: with(Trouble::Leaderless),
            without_quorum: with(Trouble::WithoutQuorum),
            under_replicated: with(Trouble::UnderReplicated),
            moving: with(Trouble::Moving),
            rebuilding: with(Trouble::Rebuilding),
            damaged: self.damaged.iter().filter(|(group, _)| of_shards.contains(group)).count(),
            lag_entries_max: shards.iter().map(|shard| shard.lag_entries).max().unwrap_or(0),
        }
    }
}

/// Whether a replica is being replaced by a successor on its own node.
fn is_rebuild(shard: &Shard) -> bool {
    let new = shard.target.iter().flatten().filter(|replica| !shard.replicas.contains(replica));
    new.into_iter().any(|replica| shard.voter_on(replica.node()).is_some())
}
