//! A shard that keeps the number of every replica it ever had or was to have.

use super::*;

#[derive(Debug, Clone)]
pub(super) struct PlainShard {
    pub(super) group: u64,
    replicas: Vec<ReplicaId>,
    target: Option<Vec<ReplicaId>>,
    ever: Vec<ReplicaId>,
    /// Every replica that was ever lost.
    lost: Vec<ReplicaId>,
}

impl PlainShard {
    pub(super) fn new(group: u64, nodes: &[NodeId]) -> PlainShard {
        let replicas: Vec<_> = nodes.iter().map(|node| ReplicaId(node.0)).collect();
        PlainShard { group, replicas: replicas.clone(), target: None, ever: replicas, lost: Vec::new() }
    }

    pub(super) fn lists(&self, node: NodeId) -> bool {
        self.replicas.iter().chain(self.target.iter().flatten()).any(|replica| replica.node() == node)
    }

    pub(super) fn needs(&self, node: NodeId) -> bool {
        let sound = |list: &[ReplicaId]| {
            let others = list.iter().filter(|replica| replica.node() != node && !self.lost.contains(replica));
            let new = |old: &ReplicaId| self.target.iter().flatten().find(|new| new.node() == old.node());
            others.filter(|replica| new(replica).is_none_or(|new| new == *replica)).count() > list.len() / 2
        };
        self.lists(node) && !(sound(&self.replicas) && self.target.as_deref().is_none_or(sound))
    }

    pub(super) fn lose(&mut self, node: NodeId) {
        self.lost.extend(self.ever.iter().filter(|replica| replica.node() == node));
    }

    fn next(&self, node: NodeId) -> ReplicaId {
        let there = self.ever.iter().filter(|replica| replica.node() == node);
        ReplicaId::new(node, there.map(|replica| replica.generation() + 1).max().unwrap_or(0))
    }

    pub(super) fn check(&self, shard: &Shard) -> Result<(), TestCaseError> {
        prop_assert_eq!((shard.group.0, &shard.replicas, &shard.target), (self.group, &self.replicas, &self.target));
        let mut lost = self.lost.clone();
        lost.retain(|lost| self.replicas.contains(lost) || self.target.as_ref().is_some_and(|to| to.contains(lost)));
        prop_assert_eq!(&shard.lost, &lost.into_iter().collect());
        for node in (1..6).map(NodeId) {
            let planned = self.target.iter().flatten().find(|replica| replica.node() == node);
            let today = self.replicas.iter().find(|replica| replica.node() == node);
            prop_assert_eq!(shard.hosted_on(node), planned.or(today).copied());
            prop_assert_eq!(shard.voter_on(node), today.copied());
            prop_assert_eq!(shard.hosted().iter().any(|replica| replica.node() == node), self.lists(node));
        }
        Ok(())
    }
}

pub(super) fn can_be_replicas(replication: u8, lists: &[Vec<NodeId>]) -> bool {
    let sound = |nodes: &Vec<NodeId>| {
        let twice = (1..nodes.len()).any(|i| nodes[..i].contains(&nodes[i]));
        !nodes.is_empty() && nodes.len() <= usize::from(replication) && !twice
    };
    replication <= 7 && !lists.is_empty() && lists.iter().all(sound)
}

impl Model {
    pub(super) fn apply_to_replicas(&mut self, command: &CatalogCommand) -> CatalogReply {
        let (CatalogCommand::ChangeReplicas { group, .. }
        | CatalogCommand::ReplicasChanged { group, .. }
        | CatalogCommand::AbandonChange { group, .. }) = command
        else {
            panic!("{command:?} is not about replicas")
        };
        let of_group = |stream: &&mut Plain| stream.shards.iter().any(|shard| shard.group == group.0);
        let Some(stream) = self.streams.iter_mut().find(of_group) else {
            return CatalogReply::Refused(CatalogError::UnknownGroup(*group));
        };
        let (status, replication) = (stream.status, stream.replication);
        let shard = stream.shards.iter_mut().find(|shard| shard.group == group.0).unwrap();
        let differ = CatalogReply::Refused(CatalogError::ReplicasDiffer(*group));
        match command {
            CatalogCommand::ChangeReplicas { .. } if status == StreamStatus::Deleting => {
                CatalogReply::Refused(CatalogError::NotActive { status })
            }
            CatalogCommand::ChangeReplicas { from, to, .. } => {
                if *from != shard.replicas || shard.target.is_some() && shard.target.as_ref() != Some(to) {
                    differ
                } else if shard.target.is_some() || from == to {
                    CatalogReply::Done
                } else if let Some(error) = why_not_change(&self.nodes, shard, replication, to) {
                    CatalogReply::Refused(error)
                } else {
                    shard.target = Some(to.clone());
                    shard.ever.extend(to);
                    CatalogReply::Done
                }
            }
            CatalogCommand::ReplicasChanged { to, .. } if shard.target.as_ref() == Some(to) => {
                shard.replicas = shard.target.take().unwrap();
                CatalogReply::Done
            }
            CatalogCommand::ReplicasChanged { to, .. } if shard.target.is_none() && shard.replicas == *to => {
                CatalogReply::Done
            }
            CatalogCommand::AbandonChange { to, .. } if shard.target.as_ref() == Some(to) => {
                shard.target = None;
                CatalogReply::Done
            }
            CatalogCommand::AbandonChange { to, .. } if shard.target.is_none() && shard.replicas != *to => {
                CatalogReply::Done
            }
            _ => differ,
        }
    }
}

fn why_not_change(nodes: &[PlainNode], shard: &PlainShard, replication: u8, to: &[ReplicaId]) -> Option<CatalogError> {
    let ids = to.iter().map(|replica| replica.node()).collect();
    if !can_be_replicas(replication, &[ids]) {
        return Some(CatalogError::InvalidReplicas);
    }
    to.iter().filter(|replica| !shard.replicas.contains(replica)).find_map(|asked| {
        let id = asked.node();
        let next = shard.next(id);
        match nodes.iter().find(|plain| plain.id == id && !plain.removed).map(|plain| plain.node.state) {
            None => Some(CatalogError::UnknownNode(id)),
            Some(NodeState::Active) if next == *asked => None,
            Some(NodeState::Active) => Some(CatalogError::WrongReplica { asked: *asked, next }),
            Some(state) => Some(CatalogError::WrongNodeState { id, state }),
        }
    })
}
