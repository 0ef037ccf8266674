use serde::{Deserialize, Serialize};
use types::{GroupId, NodeId, ReplicaId, StreamArn, StreamName, TimestampMs, limits};

use crate::{ClusterId, NodeState, StreamMode};

/// What one Raft entry asks of the catalog. New kinds go to the end: their position is what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CatalogCommand {
    /// The cluster's first command: gives it its identity.
    Initialise {
        /// Random; tells this cluster's data from another's.
        cluster_id: ClusterId,
        /// Random; authenticates shard iterators.
        iterator_key: [u8; 32],
        /// The leader's clock.
        at: TimestampMs,
    },
    /// A node introduces itself: at its first start, and whenever its addresses may have changed. The same data directory is
    /// always the same node, which keeps its number and its state; another one gets a number that no node has ever had.
    JoinNode {
        /// The random identity of its data directory.
        incarnation: u128,
        /// The number that a new node is configured with, 1 to [`ReplicaId::NODE_MAX`]; `None` takes the next free one. Ignored
        /// for a member, whose number the reply tells.
        preferred: Option<NodeId>,
        /// `host:port` for clients.
        api_addr: String,
        /// `host:port` for other nodes.
        peer_addr: String,
        /// The zone over which replicas are spread; empty where there are none.
        zone: String,
        /// The generation of its replica of the catalog: for a member the one that is known of it, or with `starts_over` the next one.
        catalog: u32,
        /// The node has lost all its data: its replicas of shards are [`crate::Shard::lost`] from here on. Only for a member, and not where a
        /// shard would have no majority of replicas left.
        starts_over: bool,
    },
    /// Record a new stream and its shards, as CREATING.
    CreateStream {
        /// Region, account and name.
        arn: StreamArn,
        /// How many shards, at least 1.
        shard_count: u32,
        /// How it grows.
        mode: StreamMode,
        /// The leader's clock: the creation time of the stream and of its shards.
        at: TimestampMs,
        /// Replicas that each shard should have, 1 to [`crate::Stream::REPLICATION_MAX`].
        replication: u8,
        /// Where the shards' replicas go: shard i to `replicas[i % replicas.len()]`, the preferred leader first. Not empty. Each
        /// begins with generation 0. Fewer than `replication` are completed later.
        replicas: Vec<Vec<NodeId>>,
        /// The account's bounds, as the proposer is configured.
        limits: AccountLimits,
    },
    /// All groups of a CREATING stream take writes: it is ACTIVE.
    StreamReady {
        /// The stream's id.
        id: u64,
    },
    /// A stream is to go: it is DELETING.
    DeleteStream {
        /// The stream's name.
        name: StreamName,
        /// The leader's clock.
        at: TimestampMs,
    },
    /// All groups of a DELETING stream are gone: forget it.
    StreamGone {
        /// The stream's id.
        id: u64,
    },
    /// Keep a stream's records for longer or shorter.
    SetRetention {
        /// The stream's name.
        name: StreamName,
        /// Hours, 24 to 8,760.
        hours: u32,
        /// Which operation asks.
        direction: RetentionChange,
    },
    /// A node is drained, decommissioned, or active again, see [`NodeState::may_become`].
    SetNodeState {
        /// The node.
        id: NodeId,
        /// What it is to be.
        state: NodeState,
    },
    /// Forget a leaving node that holds no replica any more. Its number and its data directory never come back.
    RemoveNode {
        /// The node.
        id: NodeId,
    },
    /// Record the intent to change a shard's voters; nothing has moved yet. Its replicas stay until [`Self::ReplicasChanged`].
    ChangeReplicas {
        /// The shard's group.
        group: GroupId,
        /// Its replicas today: if they are others, the plan is stale.
        from: Vec<ReplicaId>,
        /// What they are to be, the preferred leader first. A replica that is not in `from` is [`crate::Shard::next_replica`] of an
        /// active node.
        to: Vec<ReplicaId>,
    },
    /// The group's voters are those of the change that was under way.
    ReplicasChanged {
        /// The shard's group.
        group: GroupId,
        /// What they have become.
        to: Vec<ReplicaId>,
    },
    /// Give up a change that can't be completed, because the node of its new replica is gone. The new replica's number is not used
    /// again. Only for the controller that has made sure that the group's voters are, or again are, the replicas of today.
    AbandonChange {
        /// The shard's group.
        group: GroupId,
        /// What it was to become.
        to: Vec<ReplicaId>,
    },
}

/// Which of the two operations changes the retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetentionChange {
    /// IncreaseStreamRetentionPeriod: more hours than today.
    Increase,
    /// DecreaseStreamRetentionPeriod: fewer hours than today.
    Decrease,
}

/// How much an account may have. AWS' figures by default; `u32::MAX` is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLimits {
    /// Open shards of provisioned streams.
    pub provisioned_shards: u32,
    /// On-demand streams.
    pub on_demand_streams: u32,
    /// Streams that are CREATING at once.
    pub creating_streams: u32,
}

impl AccountLimits {
    /// No bounds.
    pub const OFF: AccountLimits =
        AccountLimits { provisioned_shards: u32::MAX, on_demand_streams: u32::MAX, creating_streams: u32::MAX };
}

impl Default for AccountLimits {
    fn default() -> AccountLimits {
        AccountLimits {
            provisioned_shards: limits::ACCOUNT_SHARDS_DEFAULT,
            on_demand_streams: limits::ACCOUNT_ON_DEMAND_STREAMS_DEFAULT,
            creating_streams: limits::CREATING_STREAMS_MAX,
        }
    }
}
