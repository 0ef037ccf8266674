use shard_state::FormatError;
use types::{GroupId, NodeId};

/// Why a shard could not be opened or dropped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What this node stores of the shard is damaged: trying again is no use. Other shards go on.
    #[error("shard group {group} is damaged on this node: {reason}")]
    Corrupt {
        /// The shard's group.
        group: GroupId,
        /// What was found where.
        reason: String,
    },
    /// Another call opens or drops the same shard at this moment.
    #[error("shard group {0} is just being opened or dropped")]
    Busy(GroupId),
    /// The data plane has been closed.
    #[error("the data plane is closed")]
    Closed,
    /// The journal failed.
    #[error("the shard's log: {0}")]
    Journal(#[from] journal::Error),
    /// The group could not be opened.
    #[error("the shard's group: {0}")]
    Group(#[from] raft_group::Error),
}

/// Why a batch was not appended. Nothing of it was, except after [`AppendError::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The shard's write limit is reached: not even the first record fits. `ProvisionedThroughputExceededException`.
    #[error("the shard's write limit is reached")]
    Throttled,
    /// More waits than may, for this shard, on this node or for the disk. Passes by itself.
    #[error("more puts wait than may")]
    Overloaded,
    /// The disk is nearly full. Reads go on; puts do when space returns.
    #[error("the disk is nearly full")]
    DiskFull,
    /// Another node leads the shard's group.
    #[error("node {leader:?} leads the shard")]
    NotLeader {
        /// Which one, as far as known.
        leader: Option<NodeId>,
    },
    /// The shard is closed: its children take the records.
    #[error("the shard is closed")]
    Closed,
    /// No such shard on this node.
    #[error("no such shard on this node")]
    UnknownShard,
    /// The records may or may not be, or come to be, in the shard.
    #[error("nobody knows whether the records were written: {0}")]
    Unknown(String),
    /// What this node stores of the shard is damaged.
    #[error("the shard is damaged on this node: {0}")]
    Corrupt(String),
    /// The shard cannot serve at the moment: it is being opened or dropped, its group has died, or the node shuts down.
    #[error("the shard is not available: {0}")]
    Unavailable(String),
    /// The batch is larger than [`crate::Options::batch_bytes_max`].
    #[error("a batch of {bytes} bytes, where {bytes_max} are allowed")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// What is allowed.
        bytes_max: u64,
    },
    /// The batch's bytes are not the records that it says they are.
    #[error("malformed batch: {0}")]
    Malformed(FormatError),
}

/// Why a shard could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The shard's read limit is reached. `ProvisionedThroughputExceededException`.
    #[error("the shard's read limit is reached")]
    Throttled,
    /// Another node leads the shard's group.
    #[error("node {leader:?} leads the shard")]
    NotLeader {
        /// Which one, as far as known.
        leader: Option<NodeId>,
    },
    /// No such shard on this node.
    #[error("no such shard on this node")]
    UnknownShard,
    /// What this node stores of the shard is damaged.
    #[error("the shard is damaged on this node: {0}")]
    Corrupt(String),
    /// The shard cannot serve at the moment: it is being opened or dropped, its group has died, the disk failed to read, or the
    /// node shuts down.
    #[error("the shard is not available: {0}")]
    Unavailable(String),
}

/// Why a shard that is there does not serve; both kinds of request are answered with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoService {
    UnknownShard,
    Corrupt(String),
    Unavailable(String),
    NotLeader { leader: Option<NodeId> },
}

impl From<NoService> for AppendError {
    fn from(reason: NoService) -> AppendError {
        match reason {
            NoService::UnknownShard => AppendError::UnknownShard,
            NoService::Corrupt(what) => AppendError::Corrupt(what),
            NoService::Unavailable(what) => AppendError::Unavailable(what),
            NoService::NotLeader { leader } => AppendError::NotLeader { leader },
        }
    }
}

impl From<NoService> for ReadError {
    fn from(reason: NoService) -> ReadError {
        match reason {
            NoService::UnknownShard => ReadError::UnknownShard,
            NoService::Corrupt(what) => ReadError::Corrupt(what),
            NoService::Unavailable(what) => ReadError::Unavailable(what),
            NoService::NotLeader { leader } => ReadError::NotLeader { leader },
        }
    }
}
