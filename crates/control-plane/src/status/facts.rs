use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use catalog_state::CatalogState;
use types::{GroupId, NodeId, ReplicaId};

use crate::calls::{CatalogGroup, Heard, Report, Standing};
use crate::govern::{View, damaged, leaders};

/// All that a status is made of.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) catalog: Arc<CatalogState>,
    /// The node that was asked.
    pub(crate) own: NodeId,
    /// The catalog's leader, if one is known.
    pub(crate) leader: Option<NodeId>,
    /// The catalog's group as its leader knows it, else as this node does.
    pub(crate) group: CatalogGroup,
    /// What nodes have said just now, this one included.
    pub(crate) standings: BTreeMap<NodeId, Standing>,
    /// After how long a silent node is replaced.
    pub(crate) lost_after: Duration,
}

impl Facts {
    /// What is known of a node: by the catalog's leader, whose controllers act on that, else by this node.
    pub(crate) fn heard(&self, node: NodeId) -> Heard {
        let witness = self.standings.get(&self.leader.unwrap_or(self.own));
        let heard = witness.and_then(|standing| standing.heard.iter().find(|heard| heard.node == node)).copied();
        heard.unwrap_or(Heard { node, is_alive: self.standings.contains_key(&node), silent_ms: 0 })
    }

    /// What the governor sees.
    pub(crate) fn view(&self) -> View {
        let nodes = || self.catalog.nodes().keys().copied();
        let reports = self.standings.iter().map(|(node, standing)| {
            let mut report: Report = standing.report.clone();
            report.led.sort_unstable();
            (*node, report)
        });
        View {
            reports: reports.collect(),
            alive: nodes().filter(|node| self.heard(*node).is_alive).collect(),
            lost: nodes().filter(|node| self.is_lost(*node)).collect(),
            catalog_leader: self.leader,
            voters: self.group.voters.clone(),
            learners: self.group.learners.clone(),
            outdated: self.group.outdated.clone(),
        }
    }

    pub(crate) fn is_lost(&self, node: NodeId) -> bool {
        Duration::from_millis(self.heard(node).silent_ms) >= self.lost_after
    }

    pub(crate) fn leaders(&self, view: &View) -> BTreeMap<GroupId, NodeId> {
        leaders(view)
    }

    pub(crate) fn damaged(&self) -> BTreeSet<(GroupId, ReplicaId)> {
        damaged(&self.catalog, self.standings.values().map(|standing| &standing.report))
    }

    /// Entries that the replica furthest behind lacks, of each group that is known to have one.
    pub(crate) fn lags(&self) -> BTreeMap<GroupId, u64> {
        let mut lags = BTreeMap::new();
        for (group, _, entries) in self.standings.values().flat_map(|standing| &standing.lags) {
            let most: &mut u64 = lags.entry(*group).or_default();
            *most = (*entries).max(*most);
        }
        lags
    }
}
