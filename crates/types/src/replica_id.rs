use std::fmt;

use serde::{Deserialize, Serialize};

use crate::NodeId;

/// Bits of the node in a replica's number.
const NODE_BITS: u32 = 32;

/// One replica of a group: the node that holds it, and which of the replicas it has held of that group.
///
/// Raft counts votes by these. A replica whose data was lost or damaged never votes again: the node gets another one, of the next
/// generation, so that a promise that was forgotten can't be broken. Stored as one number: generation above, node below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReplicaId(pub u64);

impl ReplicaId {
    /// The largest node number that a replica's number has room for.
    pub const NODE_MAX: NodeId = NodeId((1 << NODE_BITS) - 1);

    /// A node's replica of a generation; the first is 0.
    ///
    /// # Panics
    /// When the node is above [`ReplicaId::NODE_MAX`], which the configuration refuses.
    #[must_use]
    pub const fn new(node: NodeId, generation: u32) -> ReplicaId {
        assert!(node.0 <= ReplicaId::NODE_MAX.0, "node numbers have 32 bits");
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

    /// What takes its place on the same node when its data is lost; `None` when the numbers have run out.
    #[must_use]
    pub const fn next(self) -> Option<ReplicaId> {
        match self.generation().checked_add(1) {
            Some(generation) => Some(ReplicaId::new(self.node(), generation)),
            None => None,
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

    proptest! {
        #[test]
        fn node_and_generation_come_back_and_the_next_is_another(node in 0..=ReplicaId::NODE_MAX.0, generation: u32) {
            let replica = ReplicaId::new(NodeId(node), generation);
            prop_assert_eq!((replica.node(), replica.generation()), (NodeId(node), generation));
            match replica.next() {
                Some(next) => prop_assert_eq!((next.node(), next.generation()), (NodeId(node), generation + 1)),
                None => prop_assert_eq!(generation, u32::MAX),
            }
        }
    }

    #[test]
    fn the_first_replica_of_a_node_has_the_nodes_number() {
        let first = ReplicaId::new(NodeId(7), 0);
        assert_eq!((first.0, first.to_string()), (7, "7".to_string()));
        assert_eq!(first.next().map(|next| next.to_string()), Some("7.1".to_string()));
    }
}
