use std::fmt;

use serde::{Deserialize, Serialize};

/// A member of the cluster, as it last introduced itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// `host:port` for clients.
    pub api_addr: String,
    /// `host:port` for other nodes.
    pub peer_addr: String,
    /// The zone over which replicas are spread; empty where there are none.
    pub zone: String,
    /// What it is there for.
    pub state: NodeState,
    /// The random identity of its data directory: an empty directory is another node, whatever its address.
    pub incarnation: u128,
    /// The generation of its replica of the catalog. It rises when the node has lost its data and starts over.
    pub catalog: u32,
}

/// What a node is there for. Whether it is *up* is not in the catalog: failure detectors know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NodeState {
    /// It may hold replicas and lead.
    Active,
    /// It keeps its replicas, gets no new ones and should lead nothing: it is about to be stopped for a while.
    Draining,
    /// It is decommissioned: its replicas move away, then it is removed.
    Leaving,
}

impl NodeState {
    /// All there are.
    pub const ALL: [NodeState; 3] = [NodeState::Active, NodeState::Draining, NodeState::Leaving];

    /// Whether an operator may ask for this change. Everything but from leaving to draining: a leaving node leads nothing either,
    /// and to stop it for a while must not call its decommission off. That takes an explicit return to active.
    #[must_use]
    pub fn may_become(self, next: NodeState) -> bool {
        !(self == NodeState::Leaving && next == NodeState::Draining)
    }

    /// The name that people read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            NodeState::Active => "active",
            NodeState::Draining => "draining",
            NodeState::Leaving => "leaving",
        }
    }
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
