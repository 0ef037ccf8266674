use serde::{Deserialize, Serialize};
use thiserror::Error;

use types::{GroupId, NodeId, ReplicaId};

use crate::{ClusterId, NodeState, StreamStatus};

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CatalogReply {
    /// It is done, or was done before.
    Done,
    /// A stream is recorded as CREATING.
    Created {
        /// Its id.
        id: u64,
    },
    /// A node is a member of the cluster.
    Joined {
        /// Its number.
        id: NodeId,
    },
    /// Nothing has changed.
    Refused(CatalogError),
}

impl CatalogReply {
    /// The reply with a refusal as an error.
    ///
    /// # Errors
    /// The refusal.
    pub fn into_result(self) -> Result<CatalogReply, CatalogError> {
        match self {
            CatalogReply::Refused(error) => Err(error),
            reply => Ok(reply),
        }
    }
}

/// Why a command changed nothing. The AWS error and its text are made by the API.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum CatalogError {
    /// The cluster has another identity (an operator's mistake: a data directory of another cluster).
    #[error("the cluster is {0} already")]
    AlreadyInitialised(ClusterId),
    /// No Initialise came before.
    #[error("the cluster has no identity yet")]
    NotInitialised,
    /// A stream of this name exists: `ResourceInUseException`.
    #[error("a stream of this name exists")]
    AlreadyExists,
    /// No such stream: `ResourceNotFoundException`.
    #[error("no such stream")]
    NotFound,
    /// The stream is not in the state that this needs: `ResourceInUseException`.
    #[error("the stream is {status}")]
    NotActive {
        /// What it is.
        status: StreamStatus,
    },
    /// Outside of 24 to 8,760 hours, or not in the asked direction from today's: `InvalidArgumentException`.
    #[error("retention of {asked} h is not possible, where it is {current} h today")]
    InvalidRetention {
        /// Hours today.
        current: u32,
        /// Hours asked for.
        asked: u32,
    },
    /// The account would have too many open shards: `LimitExceededException`.
    #[error("{asked} more shards than {current} would exceed the account's limit of {limit}")]
    ShardLimitExceeded {
        /// Open shards of provisioned streams today.
        current: u32,
        /// How many there may be.
        limit: u32,
        /// How many more were asked for.
        asked: u32,
    },
    /// The account has as many on-demand streams as it may: `LimitExceededException`.
    #[error("the account has its {limit} on-demand streams")]
    OnDemandStreamLimitExceeded {
        /// How many there may be.
        limit: u32,
    },
    /// As many streams as may be are CREATING: `LimitExceededException`.
    #[error("{limit} streams are being created")]
    CreatingLimitExceeded {
        /// How many there may be.
        limit: u32,
    },
    /// A stream without shards was asked for: the API refuses it before.
    #[error("a stream has at least one shard")]
    NoShards,
    /// Not so many replicas, or not there: the proposer's mistake.
    #[error("a shard has at least one replica, no more than its stream asks for, and each on another node")]
    InvalidReplicas,
    /// Numbers of shards, groups, nodes or replicas have run out.
    #[error("out of numbers")]
    Exhausted,
    /// No member of the cluster has this number.
    #[error("node {0} is no member of the cluster")]
    UnknownNode(NodeId),
    /// A node was configured with a number that is none.
    #[error("{0} can't be a node's number: they go from 1 to {max}", max = ReplicaId::NODE_MAX)]
    InvalidNodeId(NodeId),
    /// A node was configured with a number that another data directory has, or had.
    #[error(
        "number {0} is taken by a node with another data directory, now or once: give this node a number of its own"
    )]
    NodeIdTaken(NodeId),
    /// A node that is none wants to start over.
    #[error("this data directory is no member's")]
    Unknown,
    /// A node wants to start over whose data is needed.
    #[error("without what node {id} has, group {group} would have no majority of its replicas left")]
    StillNeeded {
        /// The node.
        id: NodeId,
        /// One of the groups.
        group: GroupId,
    },
    /// A node comes back with data that it has been without since, a copy of its directory, perhaps; or does not know how often it has started over.
    #[error(
        "this data directory is older than what node {id} has had since: it has started over, its catalog is of generation {catalog} by now. \
         Restore the newer directory, or join with an empty one as a node of another number"
    )]
    OldData {
        /// The node.
        id: NodeId,
        /// The generation that is known of it.
        catalog: u32,
    },
    /// A node that was removed from the cluster comes back with its old data.
    #[error("this data directory was node {0}'s, which has been removed from the cluster: join with an empty one")]
    NodeRemoved(NodeId),
    /// A node can't become that from what it is.
    #[error("node {id} is {from} and can't become {to}")]
    NodeStateChange {
        /// The node.
        id: NodeId,
        /// What it is.
        from: NodeState,
        /// What was asked for.
        to: NodeState,
    },
    /// A node is not in the state that this needs.
    #[error("node {id} is {state}")]
    WrongNodeState {
        /// The node.
        id: NodeId,
        /// What it is.
        state: NodeState,
    },
    /// A node that is to be removed still has replicas.
    #[error("node {id} still has a replica of group {group}")]
    NodeInUse {
        /// The node.
        id: NodeId,
        /// One of the groups.
        group: GroupId,
    },
    /// No shard has this group: its stream is gone.
    #[error("no shard has group {0}")]
    UnknownGroup(GroupId),
    /// The shard's replicas, or the change under way, are not those that the command speaks of: its plan is stale.
    #[error("the replicas of group {0}, or the change under way, are others by now")]
    ReplicasDiffer(GroupId),
    /// A new replica's number has been used, or leaves numbers out.
    #[error("{asked} can't be a new replica: the next one on its node is {next}")]
    WrongReplica {
        /// What was asked for.
        asked: ReplicaId,
        /// What is free.
        next: ReplicaId,
    },
}
