//! Nodes come, change and go.

use types::{NodeId, ReplicaId};

use super::Applied;
use crate::{CatalogError, CatalogReply, CatalogState, Node, NodeState};

impl CatalogState {
    pub(super) fn join_node(&mut self, preferred: Option<NodeId>, joining: Node) -> Applied {
        if self.cluster.is_none() {
            return Err(CatalogError::NotInitialised);
        }
        if let Some(id) = self.node_of_incarnation(joining.incarnation) {
            let state = self.node(id)?.state;
            self.nodes.insert(id, Node { state, ..joining });
            return Ok(CatalogReply::Joined { id });
        }
        if let Some((id, _)) = self.removed_nodes.iter().find(|(_, incarnation)| **incarnation == joining.incarnation) {
            return Err(CatalogError::NodeRemoved(*id));
        }
        let id = self.new_node_id(preferred)?;
        self.next_node = self.next_node.max(id.0 + 1);
        self.nodes.insert(id, joining);
        Ok(CatalogReply::Joined { id })
    }

    /// A number that no node has ever had. One below the next is free when a node with a higher one was the first to join.
    fn new_node_id(&self, preferred: Option<NodeId>) -> Result<NodeId, CatalogError> {
        match preferred {
            None if self.next_node > ReplicaId::NODE_MAX.0 => Err(CatalogError::Exhausted),
            None => Ok(NodeId(self.next_node)),
            Some(id) if id.0 == 0 || id > ReplicaId::NODE_MAX => Err(CatalogError::InvalidNodeId(id)),
            Some(id) if self.nodes.contains_key(&id) || self.is_removed(id) => Err(CatalogError::NodeIdTaken(id)),
            Some(id) => Ok(id),
        }
    }

    pub(super) fn set_node_state(&mut self, id: NodeId, state: NodeState) -> Applied {
        let node = self.nodes.get_mut(&id).ok_or(CatalogError::UnknownNode(id))?;
        if !node.state.may_become(state) {
            return Err(CatalogError::NodeStateChange { id, from: node.state, to: state });
        }
        node.state = state;
        Ok(CatalogReply::Done)
    }

    pub(super) fn remove_node(&mut self, id: NodeId) -> Applied {
        if self.is_removed(id) {
            return Ok(CatalogReply::Done);
        }
        let Node { state, incarnation, .. } = *self.node(id)?;
        if state != NodeState::Leaving {
            return Err(CatalogError::WrongNodeState { id, state });
        }
        if let Some((_, shard, _)) = self.hosted_on(id).next() {
            return Err(CatalogError::NodeInUse { id, group: shard.group });
        }
        self.nodes.remove(&id);
        self.removed_nodes.insert(id, incarnation);
        // No node has its number again, so nobody will ask for its generations.
        for shard in self.streams.values_mut().flat_map(|stream| stream.shards.values_mut()) {
            shard.generations.remove(&id);
        }
        Ok(CatalogReply::Done)
    }

    /// A member of the cluster.
    pub(super) fn node(&self, id: NodeId) -> Result<&Node, CatalogError> {
        self.nodes.get(&id).ok_or(CatalogError::UnknownNode(id))
    }
}
