//! How a cluster stands, for people and for commands: what the catalog wants, what the nodes say, and what there is between the two.
//!
//! [`take`](ClusterStatus::take) is pure: it looks with the eyes of the controllers on the catalog's leader, and asks the same functions of
//! [`crate::placement`] what they would do next. [`words`] says what they wait for and why; [`check_node_state`] says whether a node may be drained or
//! may leave without harm.

mod check;
mod facts;
mod take;
mod words;

use std::fmt;

use catalog_state::NodeState;
use serde::{Deserialize, Serialize};
use types::NodeId;

pub(crate) use check::check_node_state;
pub(crate) use facts::Facts;

/// How a cluster stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// The cluster's name.
    pub cluster: String,
    /// Its random identity, 32 hexadecimal digits.
    pub cluster_id: String,
    /// The node that was asked.
    pub answered_by: NodeId,
    /// The catalog's group.
    pub catalog: CatalogStatus,
    /// Every member, by number.
    pub nodes: Vec<NodeStatus>,
    /// Numbers of former members.
    pub removed_nodes: Vec<NodeId>,
    /// All shards together.
    pub shards: ShardTotals,
    /// The shards with which something is amiss, at most [`ClusterStatus::TROUBLED_MAX`].
    pub troubled: Vec<ShardTrouble>,
    /// Whether every replica, leader and vote is where it should be, as far as nodes allow.
    pub balanced: bool,
    /// What the controllers wait for, and why, in words.
    pub waiting: Vec<String>,
}

/// The group that knows the streams and the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogStatus {
    /// `None` while no node is known to lead it: nothing can be changed then.
    pub leader: Option<NodeId>,
    /// Those that decide.
    pub voters: Vec<NodeId>,
    /// Those that follow.
    pub learners: Vec<NodeId>,
    /// Up to where the node that was asked has applied it.
    pub applied_index: u64,
    /// Entries that the follower furthest behind lacks.
    pub lag_entries_max: u64,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its number.
    pub id: NodeId,
    /// Its zone; empty where there are none.
    pub zone: String,
    /// What it is there for.
    #[serde(with = "node_state")]
    pub state: NodeState,
    /// Whether the catalog's leader hears it.
    pub alive: bool,
    /// Milliseconds since it was heard last.
    pub silent_ms: u64,
    /// Whether it has answered just now; what one that has not leads is unknown.
    pub answered: bool,
    /// `host:port` for clients.
    pub api_addr: String,
    /// `host:port` for other nodes.
    pub peer_addr: String,
    /// Replicas that it holds.
    pub replicas: usize,
    /// Replicas that it is being given.
    pub arriving: usize,
    /// Shards that it leads.
    pub leaders: usize,
}

/// Numbers over all shards of streams that stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardTotals {
    /// Streams.
    pub streams: usize,
    /// Shards.
    pub shards: usize,
    /// Their replicas.
    pub replicas: usize,
    /// The most replicas that a shard should have.
    pub replication_max: usize,
    /// Shards that no node leads, as far as nodes have answered.
    pub leaderless: usize,
    /// Shards of whose replicas no majority is alive.
    pub without_quorum: usize,
    /// Shards with fewer sound replicas on live nodes than their streams ask for.
    pub under_replicated: usize,
    /// Shards whose replicas are being changed.
    pub moving: usize,
    /// Those of them in which a damaged replica is made anew.
    pub rebuilding: usize,
    /// Damaged replicas.
    pub damaged: usize,
    /// Entries that the replica furthest behind lacks.
    pub lag_entries_max: u64,
}

/// A shard with which something is amiss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardTrouble {
    /// Its stream.
    pub stream: String,
    /// Its id.
    pub shard: String,
    /// Its group.
    pub group: u64,
    /// Who leads it, as far as known.
    pub leader: Option<NodeId>,
    /// Who holds its replicas, the preferred leader first.
    pub replicas: Vec<NodeId>,
    /// Who is to hold them, while they are being changed.
    pub target: Option<Vec<NodeId>>,
    /// How many there should be.
    pub replication: usize,
    /// Entries that the replica furthest behind lacks.
    pub lag_entries: u64,
    /// What is amiss.
    pub troubles: Vec<Trouble>,
}

/// What can be amiss with a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// No majority of its replicas is alive.
    WithoutQuorum,
    /// Nobody leads it.
    Leaderless,
    /// A replica is damaged.
    Damaged,
    /// It has too few sound replicas on live nodes.
    UnderReplicated,
    /// A damaged replica is being made anew.
    Rebuilding,
    /// Its replicas are being changed.
    Moving,
}

impl Trouble {
    /// The name that people read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Trouble::WithoutQuorum => "without quorum",
            Trouble::Leaderless => "leaderless",
            Trouble::Damaged => "damaged",
            Trouble::UnderReplicated => "under-replicated",
            Trouble::Rebuilding => "rebuilding",
            Trouble::Moving => "moving",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ClusterStatus {
    /// Shards that are listed one by one at most: the worst come first, and beyond so many the totals say more.
    pub const TROUBLED_MAX: usize = 100;

    /// A member by its number.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&NodeStatus> {
        self.nodes.iter().find(|node| node.id == id)
    }
}

/// A node's state by the name that people read.
mod node_state {
    use catalog_state::NodeState;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(state: &NodeState, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(state.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NodeState, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = NodeState::ALL.into_iter().find(|state| state.as_str() == name);
        known.ok_or_else(|| de::Error::custom(format!("{name} is no state of a node")))
    }
}

#[cfg(test)]
mod tests;
