use env::BoxFuture;
use types::{GroupId, NodeId, ShardId};

/// A shard that this node is to host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardOpen {
    /// The Raft group of its replicas.
    pub group: GroupId,
    /// Its index in the stream.
    pub shard: ShardId,
    /// Second of its creation, which its sequence numbers carry.
    pub created_sec: u64,
    /// The nodes of its replicas.
    pub members: Vec<NodeId>,
    /// Milliseconds for which its records stay readable.
    pub retention_ms: u64,
}

/// Why a shard could not be opened or dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Its data on this node is damaged: trying again is no use, an operator must decide.
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
    /// Opens a shard, making its group if there is none; when it completes, the shard has a leader or will get one by itself.
    fn open(&self, shard: ShardOpen) -> BoxFuture<'static, Result<(), HostError>>;

    /// Stops a shard and removes its data, durably; a shard that is not there is fine.
    fn drop_shard(&self, group: GroupId) -> BoxFuture<'static, Result<(), HostError>>;

    /// Changes how long the records of an open shard stay readable, in milliseconds.
    fn set_retention(&self, group: GroupId, retention_ms: u64);
}
