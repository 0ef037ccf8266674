//! The state machine against a naive model: lists of streams and nodes, and every replica that ever was.

mod commands;
mod nodes;
mod shards;

use std::collections::BTreeSet;

use super::*;
use crate::ClusterId;
use nodes::PlainNode;
use proptest::prelude::*;
use shards::PlainShard;

pub(crate) use commands::{arn, commands};

#[derive(Debug, Clone)]
struct Plain {
    id: u64,
    name: StreamName,
    status: StreamStatus,
    on_demand: bool,
    replication: u8,
    shards: Vec<PlainShard>,
    retention: u32,
}

#[derive(Default)]
struct Model {
    cluster: Option<u128>,
    streams: Vec<Plain>,
    created: u64,
    groups: u64,
    nodes: Vec<PlainNode>,
}

impl Model {
    fn apply(&mut self, command: &CatalogCommand) -> CatalogReply {
        let refused = CatalogReply::Refused;
        match command {
            CatalogCommand::Initialise { cluster_id, .. } => match *self.cluster.get_or_insert(cluster_id.0) {
                known if known == cluster_id.0 => CatalogReply::Done,
                known => refused(CatalogError::AlreadyInitialised(ClusterId(known))),
            },
            CatalogCommand::JoinNode { .. }
            | CatalogCommand::SetNodeState { .. }
            | CatalogCommand::RemoveNode { .. } => self.apply_to_nodes(command),
            CatalogCommand::ChangeReplicas { .. }
            | CatalogCommand::ReplicasChanged { .. }
            | CatalogCommand::AbandonChange { .. } => self.apply_to_replicas(command),
            CatalogCommand::CreateStream { arn, shard_count, mode, replication, replicas, .. } => {
                match self.why_not_create(arn.name(), *shard_count, *mode, *replication, replicas) {
                    Some(error) => refused(error),
                    None => self.create(arn.name(), *shard_count, *mode, *replication, replicas),
                }
            }
            CatalogCommand::StreamReady { id } => match self.streams.iter_mut().find(|stream| stream.id == *id) {
                None => refused(CatalogError::NotFound),
                Some(Plain { status: StreamStatus::Deleting, .. }) => {
                    refused(CatalogError::NotActive { status: StreamStatus::Deleting })
                }
                Some(stream) => {
                    stream.status = StreamStatus::Active;
                    CatalogReply::Done
                }
            },
            CatalogCommand::DeleteStream { name, .. } => self.on_active(name, |stream| {
                stream.status = StreamStatus::Deleting;
                CatalogReply::Done
            }),
            CatalogCommand::StreamGone { id } => match self.streams.iter().position(|stream| stream.id == *id) {
                None => refused(CatalogError::NotFound),
                Some(at) if self.streams[at].status == StreamStatus::Deleting => {
                    self.streams.remove(at);
                    CatalogReply::Done
                }
                Some(at) => refused(CatalogError::NotActive { status: self.streams[at].status }),
            },
            CatalogCommand::SetRetention { name, hours, direction } => self.on_active(name, |stream| {
                let current = stream.retention;
                let up = *hours > current && *hours <= 8_760 && *direction == RetentionChange::Increase;
                let down = *hours < current && *hours >= 24 && *direction == RetentionChange::Decrease;
                if !up && !down {
                    return refused(CatalogError::InvalidRetention { current, asked: *hours });
                }
                stream.retention = *hours;
                CatalogReply::Done
            }),
        }
    }

    fn on_active(&mut self, name: &StreamName, change: impl FnOnce(&mut Plain) -> CatalogReply) -> CatalogReply {
        match self.streams.iter_mut().find(|stream| stream.name == *name) {
            None => CatalogReply::Refused(CatalogError::NotFound),
            Some(stream) if stream.status == StreamStatus::Active => change(stream),
            Some(stream) => CatalogReply::Refused(CatalogError::NotActive { status: stream.status }),
        }
    }

    fn why_not_create(
        &self,
        name: &StreamName,
        asked: u32,
        mode: StreamMode,
        replication: u8,
        replicas: &[Vec<NodeId>],
    ) -> Option<CatalogError> {
        let count = |of: fn(&Plain) -> u32| self.streams.iter().map(of).sum::<u32>();
        let current = count(|stream| if stream.on_demand { 0 } else { stream.shards.len() as u32 });
        let creating = count(|stream| u32::from(stream.status == StreamStatus::Creating));
        let on_demand = count(|stream| u32::from(stream.on_demand));
        let stranger = replicas.iter().flatten().find(|id| self.member(**id).is_none());
        if self.cluster.is_none() {
            Some(CatalogError::NotInitialised)
        } else if asked == 0 {
            Some(CatalogError::NoShards)
        } else if self.streams.iter().any(|stream| stream.name == *name) {
            Some(CatalogError::AlreadyExists)
        } else if !shards::can_be_replicas(replication, replicas) {
            Some(CatalogError::InvalidReplicas)
        } else if let Some(id) = stranger {
            Some(CatalogError::UnknownNode(*id))
        } else if creating >= 2 {
            Some(CatalogError::CreatingLimitExceeded { limit: 2 })
        } else if mode == StreamMode::OnDemand && on_demand >= 1 {
            Some(CatalogError::OnDemandStreamLimitExceeded { limit: 1 })
        } else if mode == StreamMode::Provisioned && current + asked > 12 {
            Some(CatalogError::ShardLimitExceeded { current, limit: 12, asked })
        } else {
            None
        }
    }

    fn create(
        &mut self,
        name: &StreamName,
        count: u32,
        mode: StreamMode,
        replication: u8,
        replicas: &[Vec<NodeId>],
    ) -> CatalogReply {
        self.created += 1;
        let first = self.groups + 1;
        self.groups += u64::from(count);
        let shards = (0..u64::from(count)).map(|i| PlainShard::new(first + i, &replicas[i as usize % replicas.len()]));
        self.streams.push(Plain {
            id: self.created,
            name: name.clone(),
            status: StreamStatus::Creating,
            on_demand: mode == StreamMode::OnDemand,
            replication,
            shards: shards.collect(),
            retention: 24,
        });
        CatalogReply::Created { id: self.created }
    }
}

proptest! {
    #[test]
    fn replies_and_streams_are_those_of_a_plain_list(commands in commands()) {
        let (mut state, mut model) = (CatalogState::new(), Model::default());
        let mut groups_seen = 0;
        for (i, command) in commands.iter().enumerate() {
            let reply = state.apply(i as u64 + 1, command);
            prop_assert_eq!(&reply, &model.apply(command), "{:?}", command);
            prop_assert_eq!(state.check(), Ok(()));
            prop_assert_eq!(state.streams.len(), model.streams.len());
            for plain in &model.streams {
                let stream = state.stream(&plain.name).unwrap();
                prop_assert_eq!((stream.id, stream.status), (plain.id, plain.status));
                prop_assert_eq!((stream.retention_hours, stream.shards.len()), (plain.retention, plain.shards.len()));
                for (shard, plain) in stream.shards.values().zip(&plain.shards) {
                    plain.check(shard)?;
                }
            }
            prop_assert_eq!(state.nodes.len(), model.nodes.iter().filter(|node| !node.removed).count());
            for (id, node) in &state.nodes {
                prop_assert_eq!(model.member(*id), Some(node));
            }
            if let CatalogReply::Created { id } = reply {
                let groups: Vec<u64> = state.stream_by_id(id).unwrap().shards.values().map(|shard| shard.group.0).collect();
                prop_assert!(groups.iter().all(|group| *group > groups_seen), "a group number came back");
                groups_seen = groups.into_iter().max().unwrap();
            }
        }
    }

    #[test]
    fn replicas_stay_until_a_change_is_done_and_their_numbers_never_come_back(commands in commands()) {
        let mut state = CatalogState::new();
        let mut seen: BTreeMap<GroupId, BTreeSet<ReplicaId>> = BTreeMap::new();
        for (i, command) in commands.iter().enumerate() {
            let before = state.clone();
            let reply = state.apply(i as u64 + 1, command);
            for (_, shard) in state.shards() {
                let seen = seen.entry(shard.group).or_default();
                if let Some((_, was)) = before.shard_of_group(shard.group) {
                    let done = matches!(command, CatalogCommand::ReplicasChanged { group, .. } if *group == shard.group);
                    prop_assert!(was.replicas == shard.replicas || done && was.target.as_ref() == Some(&shard.replicas));
                    let known: BTreeSet<_> = was.replicas.iter().chain(was.target.iter().flatten()).copied().collect();
                    let now = shard.replicas.iter().chain(shard.target.iter().flatten());
                    for new in now.filter(|replica| !known.contains(replica)) {
                        prop_assert!(seen.insert(*new), "{} came back in {:?}", new, shard);
                    }
                } else {
                    seen.extend(&shard.replicas);
                }
                for node in state.nodes.keys() {
                    prop_assert!(!seen.contains(&shard.next_replica(*node).unwrap()));
                }
            }
            if let CatalogReply::Joined { id } = reply {
                let CatalogCommand::JoinNode { incarnation, .. } = command else { panic!("not a join: {command:?}") };
                prop_assert_eq!(state.node_of_incarnation(*incarnation), Some(id));
            }
        }
    }

    #[test]
    fn a_refused_command_changes_nothing(commands in commands()) {
        let mut state = CatalogState::new();
        for (i, command) in commands.iter().enumerate() {
            let mut before = state.clone();
            if let CatalogReply::Refused(_) = state.apply(i as u64 + 1, command) {
                before.pass(i as u64 + 1);
                prop_assert_eq!(&before, &state);
            }
        }
    }
}
