use std::collections::BTreeSet;
use std::time::Duration;

use control_plane::{HostError, ShardHost, ShardOpen};
use data_plane::{DataPlane, ShardLimits, ShardSpec};
use env::BoxFuture;
use shard_state::ShardIdentity;
use types::{GroupId, NodeId, ReplicaId};

/// A transfer takes a few milliseconds, and puts wait meanwhile.
const TRANSFER_DEADLINE: Duration = Duration::from_secs(2);

/// The data plane as the control plane's host of shards: the two don't see each other.
#[derive(Clone)]
pub struct DataPlaneHost {
    data: DataPlane,
    limits: ShardLimits,
}

impl DataPlaneHost {
    /// A host whose shards all have the same limits.
    #[must_use]
    pub fn new(data: DataPlane, limits: ShardLimits) -> DataPlaneHost {
        DataPlaneHost { data, limits }
    }
}

impl ShardHost for DataPlaneHost {
    fn open(&self, shard: ShardOpen) -> BoxFuture<'static, Result<(), HostError>> {
        let data = self.data.clone();
        let spec = ShardSpec {
            group: shard.group,
            identity: ShardIdentity { shard: shard.shard, created_sec: shard.created_sec },
            replica: shard.replica,
            founders: shard.founders,
            retention_ms: shard.retention_ms,
            limits: self.limits,
        };
        Box::pin(async move { data.open_shard(spec).await.map_err(host_error) })
    }

    fn drop_shard(&self, group: GroupId, replica: ReplicaId) -> BoxFuture<'static, Result<(), HostError>> {
        let data = self.data.clone();
        Box::pin(async move { data.drop_shard(group, replica).await.map_err(host_error) })
    }

    fn set_retention(&self, group: GroupId, retention_ms: u64) {
        self.data.set_retention(group, retention_ms);
    }

    fn led(&self) -> Vec<GroupId> {
        self.data.led()
    }

    fn damaged(&self) -> Vec<(GroupId, ReplicaId)> {
        self.data.damaged()
    }

    fn lags(&self) -> Vec<(GroupId, ReplicaId, u64)> {
        self.data.lags()
    }

    fn voters(&self, group: GroupId) -> Option<BTreeSet<ReplicaId>> {
        self.data.voters(group)
    }

    fn change_members(
        &self,
        group: GroupId,
        known: BTreeSet<ReplicaId>,
        voters: BTreeSet<ReplicaId>,
        deadline: Duration,
    ) -> BoxFuture<'static, Result<(), String>> {
        let data = self.data.clone();
        Box::pin(async move {
            data.change_members(group, &known, &voters, deadline).await.map_err(|error| error.to_string())
        })
    }

    fn transfer(&self, group: GroupId, to: NodeId) -> BoxFuture<'static, Result<(), String>> {
        let data = self.data.clone();
        Box::pin(async move { data.transfer(group, to, TRANSFER_DEADLINE).await.map_err(|error| error.to_string()) })
    }
}

fn host_error(error: data_plane::Error) -> HostError {
    match error {
        data_plane::Error::Corrupt { .. } => HostError::Damaged(error.to_string()),
        _ => HostError::Failed(error.to_string()),
    }
}
