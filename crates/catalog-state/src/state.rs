use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use serde::{Deserialize, Serialize};
use types::{GroupId, NodeId, ReplicaId, StreamName, TimestampMs};

use crate::{Node, Shard, Stream};

/// A cluster's random identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClusterId(pub u128);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What the first command gives a cluster for its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its identity.
    pub id: ClusterId,
    /// Authenticates shard iterators, so that each node knows those of the others.
    pub iterator_key: [u8; 32],
    /// When it began.
    pub created: TimestampMs,
}

/// All that the catalog knows after some entry of its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogState {
    pub(crate) cluster: Option<Cluster>,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    /// The incarnations of the nodes that were removed, so that neither their numbers nor their data come back. It grows by an
    /// entry for each decommissioned node, which takes an operator.
    pub(crate) removed_nodes: BTreeMap<NodeId, u128>,
    /// Above every number that a node has had.
    pub(crate) next_node: u64,
    pub(crate) streams: BTreeMap<StreamName, Stream>,
    pub(crate) next_stream: u64,
    pub(crate) next_group: u64,
    pub(crate) applied_index: u64,
}

impl Default for CatalogState {
    fn default() -> CatalogState {
        CatalogState::new()
    }
}

impl CatalogState {
    /// Before the first command.
    #[must_use]
    pub fn new() -> CatalogState {
        CatalogState {
            cluster: None,
            nodes: BTreeMap::new(),
            removed_nodes: BTreeMap::new(),
            next_node: 1,
            streams: BTreeMap::new(),
            next_stream: 1,
            next_group: GroupId::CATALOG.0 + 1,
            applied_index: 0,
        }
    }

    /// The cluster's identity, once it has one.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// The nodes that have joined and were not removed.
    #[must_use]
    pub fn nodes(&self) -> &BTreeMap<NodeId, Node> {
        &self.nodes
    }

    /// The number of the node with this data directory, if it is a member.
    #[must_use]
    pub fn node_of_incarnation(&self, incarnation: u128) -> Option<NodeId> {
        self.nodes.iter().find(|(_, node)| node.incarnation == incarnation).map(|(id, _)| *id)
    }

    /// Whether a node with this number was a member and has been removed.
    #[must_use]
    pub fn is_removed(&self, id: NodeId) -> bool {
        self.removed_nodes.contains_key(&id)
    }

    /// The numbers of the nodes that were members and have been removed.
    pub fn removed_nodes(&self) -> impl Iterator<Item = NodeId> {
        self.removed_nodes.keys().copied()
    }

    /// A stream by its name, whatever its status.
    #[must_use]
    pub fn stream(&self, name: &StreamName) -> Option<&Stream> {
        self.streams.get(name)
    }

    /// A stream by its id. Looks at each stream.
    #[must_use]
    pub fn stream_by_id(&self, id: u64) -> Option<&Stream> {
        self.streams.values().find(|stream| stream.id == id)
    }

    /// All streams by name.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.streams.values()
    }

    /// The streams whose names follow one, by name: the next page of ListStreams.
    pub fn streams_after(&self, name: &StreamName) -> impl Iterator<Item = &Stream> {
        let after = (Bound::Excluded(name.clone()), Bound::Unbounded);
        self.streams.range(after).map(|(_, stream)| stream)
    }

    /// Every shard with its stream: what the nodes' groups are compared with.
    pub fn shards(&self) -> impl Iterator<Item = (&Stream, &Shard)> {
        self.streams.values().flat_map(|stream| stream.shards.values().map(move |shard| (stream, shard)))
    }

    /// What a node must host, see [`Shard::hosted_on`]. Looks at each shard.
    pub fn hosted_on(&self, node: NodeId) -> impl Iterator<Item = (&Stream, &Shard, ReplicaId)> {
        self.shards().filter_map(move |(stream, shard)| shard.hosted_on(node).map(|replica| (stream, shard, replica)))
    }

    /// The shard of a group. Looks at each shard.
    #[must_use]
    pub fn shard_of_group(&self, group: GroupId) -> Option<(&Stream, &Shard)> {
        self.shards().find(|(_, shard)| shard.group == group)
    }

    /// The number of the group to be made next: whatever has it or a greater one is newer than this state.
    #[must_use]
    pub fn next_group(&self) -> GroupId {
        GroupId(self.next_group)
    }

    /// Log index of the last entry applied; 0 before the first.
    #[must_use]
    pub fn applied_index(&self) -> u64 {
        self.applied_index
    }
}
