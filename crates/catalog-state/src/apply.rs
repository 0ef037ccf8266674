//! What each command does: one function per kind.

mod nodes;
mod replicas;

use std::collections::{BTreeMap, BTreeSet};

use types::limits::{RECORD_KIB_DEFAULT, RETENTION_HOURS_DEFAULT, RETENTION_HOURS_MAX, RETENTION_HOURS_MIN};
use types::{GroupId, HashKeyRange, NodeId, ReplicaId, ShardId, StreamArn, StreamName, TimestampMs};

use crate::{
    AccountLimits, CatalogCommand, CatalogError, CatalogReply, CatalogState, Cluster, Node, NodeState, RetentionChange,
    Shard, Stream, StreamMode, StreamStatus,
};

type Applied = Result<CatalogReply, CatalogError>;

impl CatalogState {
    /// Applies the entry at a log index and says what it did. A refused command changes nothing.
    ///
    /// # Panics
    /// When `index` is not beyond the applied one: an entry applied twice would give numbers twice.
    pub fn apply(&mut self, index: u64, command: &CatalogCommand) -> CatalogReply {
        self.pass(index);
        self.run(command).unwrap_or_else(CatalogReply::Refused)
    }

    /// Passes over an entry that isn't a command (a leader's empty entry, a change of members), or several.
    ///
    /// # Panics
    /// When `index` is not beyond the applied one.
    pub fn pass(&mut self, index: u64) {
        assert!(index > self.applied_index, "entry {index} applied twice: the catalog is at {}", self.applied_index);
        self.applied_index = index;
    }

    fn run(&mut self, command: &CatalogCommand) -> Applied {
        match command {
            CatalogCommand::Initialise { cluster_id, iterator_key, at } => {
                self.initialise(Cluster { id: *cluster_id, iterator_key: *iterator_key, created: *at })
            }
            CatalogCommand::JoinNode { incarnation, preferred, api_addr, peer_addr, zone, catalog, starts_over } => {
                let (api_addr, peer_addr, zone) = (api_addr.clone(), peer_addr.clone(), zone.clone());
                let state = NodeState::Active;
                let (incarnation, catalog) = (*incarnation, *catalog);
                let joining = Node { api_addr, peer_addr, zone, state, incarnation, catalog };
                if *starts_over { self.start_over(joining) } else { self.join_node(*preferred, joining) }
            }
            CatalogCommand::CreateStream { arn, shard_count, mode, at, replication, replicas, limits } => {
                self.check_create(arn.name(), *shard_count)?;
                self.check_placement(*replication, replicas)?;
                self.check_account(*shard_count, *mode, limits)?;
                self.create_stream(arn, *shard_count, *mode, *at, *replication, replicas)
            }
            CatalogCommand::StreamReady { id } => self.stream_ready(*id),
            CatalogCommand::DeleteStream { name, at } => self.delete_stream(name, *at),
            CatalogCommand::StreamGone { id } => self.stream_gone(*id),
            CatalogCommand::SetRetention { name, hours, direction } => self.set_retention(name, *hours, *direction),
            CatalogCommand::SetNodeState { id, state } => self.set_node_state(*id, *state),
            CatalogCommand::RemoveNode { id } => self.remove_node(*id),
            CatalogCommand::ChangeReplicas { group, from, to } => self.change_replicas(*group, from, to),
            CatalogCommand::ReplicasChanged { group, to } => self.replicas_changed(*group, to),
            CatalogCommand::AbandonChange { group, to } => self.abandon_change(*group, to),
        }
    }

    fn initialise(&mut self, cluster: Cluster) -> Applied {
        match &self.cluster {
            Some(known) if known.id != cluster.id => Err(CatalogError::AlreadyInitialised(known.id)),
            Some(_) => Ok(CatalogReply::Done),
            None => {
                self.cluster = Some(cluster);
                Ok(CatalogReply::Done)
            }
        }
    }

    fn check_create(&self, name: &StreamName, shard_count: u32) -> Result<(), CatalogError> {
        if self.cluster.is_none() {
            return Err(CatalogError::NotInitialised);
        }
        if shard_count == 0 {
            return Err(CatalogError::NoShards);
        }
        self.check_bounds(shard_count)?;
        if self.streams.contains_key(name) { Err(CatalogError::AlreadyExists) } else { Ok(()) }
    }

    fn check_account(&self, asked: u32, mode: StreamMode, limits: &AccountLimits) -> Result<(), CatalogError> {
        let creating = self.streams.values().filter(|stream| stream.status == StreamStatus::Creating).count();
        if creating >= limits.creating_streams as usize {
            return Err(CatalogError::CreatingLimitExceeded { limit: limits.creating_streams });
        }
        let same_mode = || self.streams.values().filter(|stream| stream.mode == mode);
        match mode {
            StreamMode::OnDemand if same_mode().count() >= limits.on_demand_streams as usize => {
                Err(CatalogError::OnDemandStreamLimitExceeded { limit: limits.on_demand_streams })
            }
            StreamMode::OnDemand => Ok(()),
            StreamMode::Provisioned => {
                let open: usize = same_mode().map(|stream| stream.open_shards().count()).sum();
                let (current, limit) = (u32::try_from(open).unwrap_or(u32::MAX), limits.provisioned_shards);
                match current.checked_add(asked) {
                    Some(sum) if sum <= limit => Ok(()),
                    _ => Err(CatalogError::ShardLimitExceeded { current, limit, asked }),
                }
            }
        }
    }

    fn create_stream(
        &mut self,
        arn: &StreamArn,
        shard_count: u32,
        mode: StreamMode,
        at: TimestampMs,
        replication: u8,
        replicas: &[Vec<NodeId>],
    ) -> Applied {
        let next_group = self.next_group.checked_add(u64::from(shard_count)).ok_or(CatalogError::Exhausted)?;
        if shard_count > ShardId::MAX.0 {
            return Err(CatalogError::Exhausted);
        }
        let id = self.next_stream;
        let shards = new_shards(self.next_group, shard_count, at, replicas);
        let stream = Stream {
            id,
            arn: arn.clone(),
            created: at,
            deleted: None,
            status: StreamStatus::Creating,
            mode,
            retention_hours: RETENTION_HOURS_DEFAULT,
            max_record_kib: RECORD_KIB_DEFAULT,
            replication,
            shards,
            next_shard: shard_count,
        };
        self.next_stream += 1;
        self.next_group = next_group;
        self.streams.insert(arn.name().clone(), stream);
        Ok(CatalogReply::Created { id })
    }

    fn stream_ready(&mut self, id: u64) -> Applied {
        let stream = self.streams.values_mut().find(|stream| stream.id == id).ok_or(CatalogError::NotFound)?;
        match stream.status {
            StreamStatus::Creating => stream.status = StreamStatus::Active,
            StreamStatus::Active | StreamStatus::Updating => {}
            StreamStatus::Deleting => return Err(CatalogError::NotActive { status: stream.status }),
        }
        Ok(CatalogReply::Done)
    }

    fn delete_stream(&mut self, name: &StreamName, at: TimestampMs) -> Applied {
        let stream = self.active(name)?;
        stream.status = StreamStatus::Deleting;
        stream.deleted = Some(at);
        Ok(CatalogReply::Done)
    }

    fn stream_gone(&mut self, id: u64) -> Applied {
        let stream = self.stream_by_id(id).ok_or(CatalogError::NotFound)?;
        if stream.status != StreamStatus::Deleting {
            return Err(CatalogError::NotActive { status: stream.status });
        }
        let name = stream.name().clone();
        self.streams.remove(&name);
        Ok(CatalogReply::Done)
    }

    fn set_retention(&mut self, name: &StreamName, asked: u32, direction: RetentionChange) -> Applied {
        let stream = self.active(name)?;
        let current = stream.retention_hours;
        let moves = match direction {
            RetentionChange::Increase => asked > current,
            RetentionChange::Decrease => asked < current,
        };
        if !moves || !(RETENTION_HOURS_MIN..=RETENTION_HOURS_MAX).contains(&asked) {
            return Err(CatalogError::InvalidRetention { current, asked });
        }
        stream.retention_hours = asked;
        Ok(CatalogReply::Done)
    }

    /// A stream that is ACTIVE: what Kinesis asks for before it changes one.
    fn active(&mut self, name: &StreamName) -> Result<&mut Stream, CatalogError> {
        let stream = self.streams.get_mut(name).ok_or(CatalogError::NotFound)?;
        match stream.status {
            StreamStatus::Active => Ok(stream),
            status => Err(CatalogError::NotActive { status }),
        }
    }
}

fn new_shards(first_group: u64, count: u32, at: TimestampMs, replicas: &[Vec<NodeId>]) -> BTreeMap<ShardId, Shard> {
    let shard = |(i, range): (u32, HashKeyRange)| Shard {
        id: ShardId(i),
        group: GroupId(first_group + u64::from(i)),
        range,
        created: at,
        parent: None,
        adjacent_parent: None,
        closed: None,
        replicas: replicas[i as usize % replicas.len()].iter().map(|node| ReplicaId::new(*node, 0)).collect(),
        target: None,
        generations: BTreeMap::new(),
        lost: BTreeSet::new(),
    };
    (0..).zip(HashKeyRange::even(count)).map(shard).map(|shard| (shard.id, shard)).collect()
}

#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
mod tests;
