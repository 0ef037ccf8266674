use control_plane::{HostError, ShardHost, ShardOpen};
use data_plane::{DataPlane, ShardLimits, ShardSpec};
use env::BoxFuture;
use shard_state::ShardIdentity;
use types::GroupId;

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
            members: shard.members,
            retention_ms: shard.retention_ms,
            limits: self.limits,
        };
        Box::pin(async move { data.open_shard(spec).await.map_err(host_error) })
    }

    fn drop_shard(&self, group: GroupId) -> BoxFuture<'static, Result<(), HostError>> {
        let data = self.data.clone();
        Box::pin(async move { data.drop_shard(group).await.map_err(host_error) })
    }

    fn set_retention(&self, group: GroupId, retention_ms: u64) {
        self.data.set_retention(group, retention_ms);
    }
}

fn host_error(error: data_plane::Error) -> HostError {
    match error {
        data_plane::Error::Corrupt { .. } => HostError::Damaged(error.to_string()),
        _ => HostError::Failed(error.to_string()),
    }
}
