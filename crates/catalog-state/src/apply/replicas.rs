//! Replicas are placed, and move from node to node.

use std::collections::BTreeSet;

use types::{GroupId, NodeId, ReplicaId};

use super::Applied;
use crate::{CatalogError, CatalogReply, CatalogState, NodeState, Shard, Stream, StreamStatus};

impl CatalogState {
    /// Whether new shards can be placed so. A node that is draining or leaving will do: it may have become so since the placement was
    /// planned, and its replicas can move later.
    pub(super) fn check_placement(&self, replication: u8, replicas: &[Vec<NodeId>]) -> Result<(), CatalogError> {
        let possible = (1..=Stream::REPLICATION_MAX).contains(&replication);
        if !possible || replicas.is_empty() || !replicas.iter().all(|nodes| is_set_of(nodes, replication)) {
            return Err(CatalogError::InvalidReplicas);
        }
        replicas.iter().flatten().try_for_each(|id| self.node(*id).map(drop))
    }

    pub(super) fn change_replicas(&mut self, group: GroupId, from: &[ReplicaId], to: &[ReplicaId]) -> Applied {
        let (stream, shard) = self.shard_of_group(group).ok_or(CatalogError::UnknownGroup(group))?;
        if stream.status == StreamStatus::Deleting {
            return Err(CatalogError::NotActive { status: stream.status });
        }
        if shard.replicas != from || shard.target.as_deref().is_some_and(|target| target != to) {
            return Err(CatalogError::ReplicasDiffer(group));
        }
        if from == to || shard.target.is_some() {
            return Ok(CatalogReply::Done);
        }
        let nodes: Vec<NodeId> = to.iter().map(|replica| replica.node()).collect();
        if !is_set_of(&nodes, stream.replication) {
            return Err(CatalogError::InvalidReplicas);
        }
        to.iter().filter(|replica| !from.contains(replica)).try_for_each(|new| self.check_new_replica(shard, *new))?;
        self.shard_mut(group)?.target = Some(to.to_vec());
        Ok(CatalogReply::Done)
    }

    fn check_new_replica(&self, shard: &Shard, asked: ReplicaId) -> Result<(), CatalogError> {
        let id = asked.node();
        let state = self.node(id)?.state;
        if state != NodeState::Active {
            return Err(CatalogError::WrongNodeState { id, state });
        }
        match shard.next_replica(id) {
            None => Err(CatalogError::Exhausted),
            Some(next) if next != asked => Err(CatalogError::WrongReplica { asked, next }),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn replicas_changed(&mut self, group: GroupId, to: &[ReplicaId]) -> Applied {
        let shard = self.shard_mut(group)?;
        match &shard.target {
            Some(target) if target == to => {
                shard.end_change(to.to_vec());
                Ok(CatalogReply::Done)
            }
            None if shard.replicas == to => Ok(CatalogReply::Done),
            _ => Err(CatalogError::ReplicasDiffer(group)),
        }
    }

    pub(super) fn abandon_change(&mut self, group: GroupId, to: &[ReplicaId]) -> Applied {
        let shard = self.shard_mut(group)?;
        match &shard.target {
            Some(target) if target == to => {
                shard.end_change(shard.replicas.clone());
                Ok(CatalogReply::Done)
            }
            // Given up before: whether by the same command or another, nothing is under way. A change that was completed is not.
            None if shard.replicas != to => Ok(CatalogReply::Done),
            _ => Err(CatalogError::ReplicasDiffer(group)),
        }
    }

    fn shard_mut(&mut self, group: GroupId) -> Result<&mut Shard, CatalogError> {
        self.shards_mut().find(|shard| shard.group == group).ok_or(CatalogError::UnknownGroup(group))
    }
}

/// At least one, at most so many, and each once.
fn is_set_of(nodes: &[NodeId], at_most: u8) -> bool {
    let different = nodes.iter().collect::<BTreeSet<_>>().len();
    (1..=usize::from(at_most)).contains(&nodes.len()) && different == nodes.len()
}
