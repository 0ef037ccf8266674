//! Nodes come, change and go.

use types::{NodeId, ReplicaId};

use super::Applied;
use crate::{CatalogError, CatalogReply, CatalogState, Node, NodeState, Shard};

impl CatalogState {
    pub(super) fn join_node(&mut self, preferred: Option<NodeId>, joining: Node) -> Applied {
        if self.cluster.is_none() {
            return Err(CatalogError::NotInitialised);
        }
        if let Some(id) = self.node_of_incarnation(joining.incarnation) {
            let Node { state, catalog, .. } = *self.node(id)?;
            if joining.catalog != catalog {
                return Err(CatalogError::OldData { id, catalog });
            }
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

    /// Each generation is taken once: a node that does not know whether it has been given one asks for the next, and nothing that it may have
    /// been given meanwhile counts.
    pub(super) fn start_over(&mut self, joining: Node) -> Applied {
        if self.cluster.is_none() {
            return Err(CatalogError::NotInitialised);
        }
        let Some(id) = self.node_of_incarnation(joining.incarnation) else { return Err(CatalogError::Unknown) };
        let Node { state, catalog, .. } = *self.node(id)?;
        if Some(joining.catalog) != catalog.checked_add(1) {
            return Err(CatalogError::OldData { id, catalog });
        }
        if joining.catalog > ReplicaId::GENERATION_MAX {
            return Err(CatalogError::Exhausted);
        }
        // A stream that is being created has no records yet.
        let kept = self.shards().filter(|(stream, _)| stream.status.keeps_records());
        if let Some((_, shard)) = kept.into_iter().find(|(_, shard)| shard.needs(id)) {
            return Err(CatalogError::StillNeeded { id, group: shard.group });
        }
        self.shards_mut().for_each(|shard| shard.lose_replicas_on(id));
        self.nodes.insert(id, Node { state, ..joining });
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
        for shard in self.shards_mut() {
            shard.generations.remove(&id);
        }
        Ok(CatalogReply::Done)
    }

    pub(super) fn shards_mut(&mut self) -> impl Iterator<Item = &mut Shard> {
        self.streams.values_mut().flat_map(|stream| stream.shards.values_mut())
    }

    /// A member of the cluster.
    pub(super) fn node(&self, id: NodeId) -> Result<&Node, CatalogError> {
        self.nodes.get(&id).ok_or(CatalogError::UnknownNode(id))
    }
}
