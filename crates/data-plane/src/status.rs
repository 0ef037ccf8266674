use raft_group::{Leadership, Membership};
use types::{GroupId, NodeId, ReplicaId};

use crate::DataPlane;
use crate::shard::Shard;

/// How a shard stands on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardStatus {
    /// The shard's group.
    pub group: GroupId,
    /// This node's replica.
    pub replica: ReplicaId,
    /// Whether it leads, and may answer for the shard.
    pub leads: bool,
    /// The node that leads, as far as is known here.
    pub leader: Option<NodeId>,
    /// Who holds the replicas, as far as is known here.
    pub membership: Membership,
    /// How many entries each other replica is known to lack; empty unless this one leads.
    pub lags: Vec<(ReplicaId, u64)>,
}

impl Shard {
    fn status(&self) -> ShardStatus {
        let leadership = self.group.leadership();
        let leads = leadership == Leadership::Leads && self.failure.get().is_none();
        let leader = match leadership {
            Leadership::Leads => Some(self.replica.node()),
            Leadership::Elsewhere(leader) => leader,
        };
        ShardStatus {
            group: self.group_id,
            replica: self.replica,
            leads,
            leader,
            membership: self.group.membership(),
            lags: self.group.lags(),
        }
    }
}

impl DataPlane {
    /// How each open shard stands.
    #[must_use]
    pub fn statuses(&self) -> Vec<ShardStatus> {
        self.open_shards().iter().map(|shard| shard.status()).collect()
    }

    /// The replicas here that no longer work and never will: their data is damaged, or their group has died.
    #[must_use]
    pub fn damaged(&self) -> Vec<(GroupId, ReplicaId)> {
        let mut damaged = self.inner.slots.corrupt();
        let failed = self.open_shards().into_iter().filter(|shard| shard.failure.get().is_some());
        damaged.extend(failed.map(|shard| (shard.group_id, shard.replica)));
        damaged
    }

    /// How many entries other replicas of the shards that this node leads are known to lack; those that lack none are left out.
    #[must_use]
    pub fn lags(&self) -> Vec<(GroupId, ReplicaId, u64)> {
        let led = self.open_shards().into_iter().filter(|shard| shard.serves().is_ok());
        let lags = led.flat_map(|shard| {
            let of_shard = shard.group.lags().into_iter();
            of_shard.map(move |(replica, entries)| (shard.group_id, replica, entries))
        });
        lags.filter(|(_, _, entries)| *entries > 0).collect()
    }

    /// The shards that this node leads and may answer for: what is asked most often, without the rest of their status.
    #[must_use]
    pub fn led(&self) -> Vec<GroupId> {
        let led = self.open_shards().into_iter().filter(|shard| shard.serves().is_ok());
        led.map(|shard| shard.group_id).collect()
    }
}
