use std::collections::BTreeSet;
use std::time::Duration;

use env::BoxFuture;
use types::{GroupId, NodeId, ReplicaId, ShardId};

/// A replica of a shard that this node is to host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardOpen {
    /// The Raft group of the shard's replicas.
    pub group: GroupId,
    /// This node's replica.
    pub replica: ReplicaId,
    /// Its index in the stream.
    pub shard: ShardId,
    /// Second of its creation, which its sequence numbers carry.
    pub created_sec: u64,
    /// The voters of a group that may not have been formed yet; empty for a replica that joins one that has.
    pub founders: Vec<ReplicaId>,
    /// Milliseconds for which its records stay readable.
    pub retention_ms: u64,
}

/// Why a shard could not be opened or dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Its data on this node is damaged: trying again is no use. Other replicas can replace it; without any an operator must decide.
    #[error("damaged: {0}")]
    Damaged(String),
    /// Anything that may pass.
    #[error("{0}")]
    Failed(String),
}

/// Who hosts shards on this node: the data plane, which this crate doesn't see.
///
/// Every call is idempotent: it is repeated after a failure, and after a restart of which the caller knows nothing.
pub trait ShardHost: Send + Sync + 'static {
    /// Opens a replica, making its group if there is none; when it completes, the shard has a leader or will get one by itself.
    fn open(&self, shard: ShardOpen) -> BoxFuture<'static, Result<(), HostError>>;

    /// Stops a replica and removes its data, durably; one that is not there is fine.
    fn drop_shard(&self, group: GroupId, replica: ReplicaId) -> BoxFuture<'static, Result<(), HostError>>;

    /// Changes how long the records of an open shard stay readable, in milliseconds.
    fn set_retention(&self, group: GroupId, retention_ms: u64);

    /// The shards that this node leads and may answer for.
    fn led(&self) -> Vec<GroupId>;

    /// The replicas on this node that no longer work and never will.
    fn damaged(&self) -> Vec<(GroupId, ReplicaId)>;

    /// How many entries other replicas of the shards that this node leads are known to lack; those that lack none are left out.
    fn lags(&self) -> Vec<(GroupId, ReplicaId, u64)>;

    /// The voters of a shard that this node leads, if they are settled.
    fn voters(&self, group: GroupId) -> Option<BTreeSet<ReplicaId>>;

    /// As the leader of a shard, makes `voters` its voters, if all that vote now are `known`; says why not, if not within the deadline.
    fn change_members(
        &self,
        group: GroupId,
        known: BTreeSet<ReplicaId>,
        voters: BTreeSet<ReplicaId>,
        deadline: Duration,
    ) -> BoxFuture<'static, Result<(), String>>;

    /// As the leader of a shard, has another node lead it; says why not.
    fn transfer(&self, group: GroupId, to: NodeId) -> BoxFuture<'static, Result<(), String>>;
}
