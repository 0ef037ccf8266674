use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{GroupId, NodeId};

/// Bits of the node in a replica's number.
const NODE_BITS: u32 = 32;
/// Bits of a group in the number that a replica is filed under.
const GROUP_BITS: u32 = 32;

/// One replica of a group: the node that holds it, and which of the replicas it has held of that group.
///
/// Raft counts votes by these. A replica whose data was lost or damaged never votes again: the node gets another one, of the next
/// generation, so that a promise that was forgotten can't be broken. Stored as one number: generation above, node below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReplicaId(pub u64);

impl ReplicaId {
    /// The largest node number that a replica's number has room for.
    pub const NODE_MAX: NodeId = NodeId((1 << NODE_BITS) - 1);

    /// The last generation there can be. One bit less than there is room for: a stored vote keeps a flag beside the number.
    pub const GENERATION_MAX: u32 = (1 << 31) - 1;

    /// A node's replica of a generation; the first is 0.
    ///
    /// # Panics
    /// When the node is above [`ReplicaId::NODE_MAX`], which the configuration refuses, or the generation above
    /// [`ReplicaId::GENERATION_MAX`].
    #[must_use]
    pub const fn new(node: NodeId, generation: u32) -> ReplicaId {
        assert!(node.0 <= ReplicaId::NODE_MAX.0, "node numbers have 32 bits");
        assert!(generation <= ReplicaId::GENERATION_MAX, "generations have 31 bits");
        ReplicaId((generation as u64) << NODE_BITS | node.0)
    }

    /// The node that holds it.
    #[must_use]
    pub const fn node(self) -> NodeId {
        NodeId(self.0 & ReplicaId::NODE_MAX.0)
    }

    /// How many replicas the node has held of the group before this one.
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> NODE_BITS) as u32
    }

    /// Under which number this replica of `group` is filed on its node. The first is filed under the group's own; a later one is
    /// not confused with what is left of the one before it.
    ///
    /// # Panics
    /// When there are more groups than a cluster ever makes, 2^32.
    #[must_use]
    pub const fn file_of(self, group: GroupId) -> GroupId {
        assert!(group.0 < 1 << GROUP_BITS, "group numbers are given one by one");
        GroupId((self.generation() as u64) << GROUP_BITS | group.0)
    }

    /// The group that is filed under a number on `node`, and the replica.
    #[must_use]
    pub const fn of_file(node: NodeId, file: GroupId) -> (GroupId, ReplicaId) {
        let group = GroupId(file.0 & ((1 << GROUP_BITS) - 1));
        (group, ReplicaId::new(node, (file.0 >> GROUP_BITS) as u32))
    }

    /// Whether what is filed under this number is a replica of the catalog.
    #[must_use]
    pub const fn is_of_catalog(file: GroupId) -> bool {
        file.0 & ((1 << GROUP_BITS) - 1) == GroupId::CATALOG.0
    }

    /// What takes its place on the same node when its data is lost; `None` when the numbers have run out.
    #[must_use]
    pub const fn next(self) -> Option<ReplicaId> {
        match self.generation() {
            ReplicaId::GENERATION_MAX => None,
            generation => Some(ReplicaId::new(self.node(), generation + 1)),
        }
    }
}

/// As `node` or, after a loss, `node.generation`.
impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation() {
            0 => write!(f, "{}", self.node()),
            generation => write!(f, "{}.{generation}", self.node()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn generations() -> impl Strategy<Value = u32> {
        prop_oneof![0..=ReplicaId::GENERATION_MAX, Just(ReplicaId::GENERATION_MAX)]
    }

    proptest! {
        #[test]
        fn node_and_generation_come_back_and_the_next_is_another(node in 0..=ReplicaId::NODE_MAX.0, generation in generations()) {
            let replica = ReplicaId::new(NodeId(node), generation);
            prop_assert_eq!((replica.node(), replica.generation()), (NodeId(node), generation));
            let group = GroupId(node);
            prop_assert_eq!(ReplicaId::of_file(NodeId(node), replica.file_of(group)), (group, replica));
            match replica.next() {
                Some(next) => prop_assert_eq!((next.node(), next.generation()), (NodeId(node), generation + 1)),
                None => prop_assert_eq!(generation, ReplicaId::GENERATION_MAX),
            }
        }
    }

    #[test]
    fn the_first_replica_of_a_node_has_the_nodes_number() {
        let first = ReplicaId::new(NodeId(7), 0);
        assert_eq!((first.0, first.to_string()), (7, "7".to_string()));
        assert_eq!(first.file_of(GroupId(9)), GroupId(9));
        let files = [0, 1].map(|group| ReplicaId::new(NodeId(7), 3).file_of(GroupId(group)));
        assert_eq!(files.map(ReplicaId::is_of_catalog), [true, false]);
        assert_eq!(first.next().map(|next| next.to_string()), Some("7.1".to_string()));
    }
}
