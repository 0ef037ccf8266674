use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{ClusterId, StreamStatus};

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
    /// There is no node for the replicas: the proposer's mistake.
    #[error("a shard has at least one replica, each on another node")]
    NoReplicas,
    /// Shard indices or group numbers have run out.
    #[error("out of numbers")]
    Exhausted,
}
