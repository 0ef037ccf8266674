//! Which node to ask for a shard: the one that led it last, else one that holds a replica. Pure, but for a table of hints.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::RwLock;
use types::{GroupId, NodeId};

/// Hints kept at most, those of groups that are gone included; then all are found anew.
const HINTS_MAX: usize = 100_000;

/// Where each group's leader was seen last. Only hints: a wrong one costs a detour.
#[derive(Debug, Default)]
pub(crate) struct Leaders {
    seen: RwLock<BTreeMap<GroupId, NodeId>>,
}

impl Leaders {
    pub(crate) fn get(&self, group: GroupId) -> Option<NodeId> {
        self.seen.read().get(&group).copied()
    }

    /// A node has answered for a group, or another has named it.
    pub(crate) fn learn(&self, group: GroupId, leader: NodeId) {
        if self.get(group) == Some(leader) {
            return;
        }
        let mut seen = self.seen.write();
        if seen.len() >= HINTS_MAX {
            seen.clear();
        }
        seen.insert(group, leader);
    }

    /// The node does not lead the group.
    pub(crate) fn forget(&self, group: GroupId, node: NodeId) {
        let mut seen = self.seen.write();
        if seen.get(&group) == Some(&node) {
            seen.remove(&group);
        }
    }
}

/// The nodes that were asked for one shard in this round, so that each is asked once.
#[derive(Debug, Default)]
pub(crate) struct Round {
    asked: BTreeSet<NodeId>,
}

impl Round {
    /// The next node to ask: the leader seen last, this node if it holds a replica, the others in the order of the catalog; those that
    /// are taken for dead after all others. `None` when all were asked.
    pub(crate) fn next(
        &mut self,
        hint: Option<NodeId>,
        here: NodeId,
        replicas: &[NodeId],
        is_alive: impl Fn(NodeId) -> bool,
    ) -> Option<NodeId> {
        let own = replicas.contains(&here).then_some(here);
        let order = || hint.into_iter().chain(own).chain(replicas.iter().copied());
        let fresh = |node: &NodeId| !self.asked.contains(node);
        let next = order().filter(fresh).find(|node| is_alive(*node)).or_else(|| order().find(fresh))?;
        self.asked.insert(next);
        Some(next)
    }

    /// A node that was asked before is said to lead: worth another try, once.
    pub(crate) fn again(&mut self, node: NodeId) {
        self.asked.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_replica_is_asked_once_the_likely_and_living_ones_first(
            replicas in btree_set(1u64..8, 1..5),
            hint in proptest::option::of(1u64..8),
            here in 1u64..8,
            alive in vec(any::<bool>(), 8),
        ) {
            let replicas: Vec<NodeId> = replicas.into_iter().map(NodeId).collect();
            let (hint, here) = (hint.map(NodeId), NodeId(here));
            let is_alive = |node: NodeId| alive[node.0 as usize];
            let mut round = Round::default();
            let order: Vec<NodeId> = std::iter::from_fn(|| round.next(hint, here, &replicas, is_alive)).collect();
            let once: BTreeSet<NodeId> = order.iter().copied().collect();
            let all: BTreeSet<NodeId> = replicas.iter().copied().chain(hint).collect();
            prop_assert_eq!(order.len(), once.len());
            prop_assert_eq!(once, all);
            let living = order.iter().take_while(|node| is_alive(**node)).count();
            prop_assert!(order[living..].iter().all(|node| !is_alive(*node)));
            if let Some(hint) = hint.filter(|hint| is_alive(*hint)) {
                prop_assert_eq!(order[0], hint);
            } else if replicas.contains(&here) && is_alive(here) {
                prop_assert_eq!(order[0], here);
            }
        }
    }

    #[test]
    fn hints_are_corrected_and_only_by_whom_they_concern() {
        let leaders = Leaders::default();
        leaders.learn(GroupId(1), NodeId(2));
        leaders.forget(GroupId(1), NodeId(3));
        assert_eq!(leaders.get(GroupId(1)), Some(NodeId(2)));
        leaders.forget(GroupId(1), NodeId(2));
        assert_eq!(leaders.get(GroupId(1)), None);
        for group in 0..=HINTS_MAX as u64 {
            leaders.learn(GroupId(group), NodeId(2));
        }
        assert_eq!((leaders.seen.read().len(), leaders.get(GroupId(HINTS_MAX as u64))), (1, Some(NodeId(2))));
    }
}
