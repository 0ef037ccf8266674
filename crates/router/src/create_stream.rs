//! CreateStream

use catalog_state::{CatalogCommand, CatalogError, StreamMode};
use types::StreamArn;
use types::limits::ON_DEMAND_SHARDS_DEFAULT;

use crate::lookup::{not_found, parse_name};
use crate::router::Inner;
use crate::{InUse, LimitExceeded, Router, RouterError};

/// How a stream grows, with what that needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// As its owner says.
    Provisioned {
        /// Shards, at least 1.
        shards: u32,
    },
    /// With its load, from four shards.
    OnDemand,
}

impl Router {
    /// Records a stream as CREATING. Its shards' groups form in the background; then it is ACTIVE.
    ///
    /// # Errors
    /// When a stream of this name exists, or the account would have more than it may.
    pub async fn create_stream(&self, name: &str, capacity: Capacity) -> Result<(), RouterError> {
        let inner = &self.inner;
        let options = &inner.options;
        let unusable =
            |_| RouterError::Internal(format!("no ARN has region {} and account {}", options.region, options.account));
        let arn = StreamArn::new(&options.region, &options.account, parse_name(name)?).map_err(unusable)?;
        let (mode, shard_count) = match capacity {
            Capacity::Provisioned { shards } => (StreamMode::Provisioned, shards),
            Capacity::OnDemand => (StreamMode::OnDemand, ON_DEMAND_SHARDS_DEFAULT),
        };
        // Before anything is durable, where it would have to be refused at each start.
        inner.control.catalog().check_bounds(shard_count).map_err(|refusal| refused(name, refusal))?;
        let placed = inner.control.placement(shard_count);
        let replicas = placed.map_err(|error| RouterError::Unavailable(error.to_string()))?;
        let limits = options.account_limits;
        let (at, replication) = (inner.now(), inner.control.replication());
        let command = CatalogCommand::CreateStream { arn, shard_count, mode, at, replication, replicas, limits };
        inner.change(name, command).await
    }
}

impl Inner {
    /// Has a command on a stream carried out, and puts refusals into the words of requests.
    pub(crate) async fn change(&self, stream: &str, command: CatalogCommand) -> Result<(), RouterError> {
        self.propose(stream, command).await?.map_err(|refusal| refused(stream, refusal))
    }

    /// The same, with the catalog's own words.
    pub(crate) async fn propose(
        &self,
        stream: &str,
        command: CatalogCommand,
    ) -> Result<Result<(), CatalogError>, RouterError> {
        match self.control.propose(command).await {
            Ok(reply) => Ok(reply.into_result().map(drop)),
            Err(error) => {
                tracing::warn!(stream, %error, "a change of the catalog failed");
                Err(RouterError::Unavailable(error.to_string()))
            }
        }
    }
}

/// A refusal in the words of requests.
pub(crate) fn refused(stream: &str, refusal: CatalogError) -> RouterError {
    let name = || stream.to_owned();
    match refusal {
        CatalogError::AlreadyExists => InUse::StreamExists { stream: name() }.into(),
        CatalogError::NotFound => not_found(stream),
        CatalogError::NotActive { status } => InUse::NotActive { stream: name(), status }.into(),
        CatalogError::ShardLimitExceeded { current, limit, asked } => {
            LimitExceeded::Shards { open: current, limit, asked }.into()
        }
        CatalogError::OnDemandStreamLimitExceeded { limit } => LimitExceeded::OnDemandStreams { limit }.into(),
        CatalogError::CreatingLimitExceeded { limit } => LimitExceeded::CreatingStreams { limit }.into(),
        // A node has been removed since the placement was planned: the next try places anew.
        CatalogError::UnknownNode(_) => RouterError::Unavailable(refusal.to_string()),
        // The operation that asks for another retention has words for the first, see `retention`; the rest show a bug here.
        CatalogError::InvalidRetention { .. }
        | CatalogError::AlreadyInitialised(_)
        | CatalogError::NotInitialised
        | CatalogError::NoShards
        | CatalogError::InvalidReplicas
        | CatalogError::Exhausted
        | CatalogError::InvalidNodeId(_)
        | CatalogError::NodeIdTaken(_)
        | CatalogError::OldData { .. }
        | CatalogError::StillNeeded { .. }
        | CatalogError::Unknown
        | CatalogError::NodeRemoved(_)
        | CatalogError::NodeStateChange { .. }
        | CatalogError::WrongNodeState { .. }
        | CatalogError::NodeInUse { .. }
        | CatalogError::UnknownGroup(_)
        | CatalogError::ReplicasDiffer(_)
        | CatalogError::WrongReplica { .. } => RouterError::Internal(refusal.to_string()),
    }
}
