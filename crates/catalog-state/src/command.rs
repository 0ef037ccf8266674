use serde::{Deserialize, Serialize};
use types::{NodeId, StreamArn, StreamName, TimestampMs, limits};

use crate::{ClusterId, Node, StreamMode};

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
    /// A node has joined, or its addresses have changed.
    RegisterNode {
        /// The node's number.
        id: NodeId,
        /// Where it is.
        node: Node,
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
        /// Where the shards' replicas go: shard i to `replicas[i % replicas.len()]`. Not empty.
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
