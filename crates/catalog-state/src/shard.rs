use serde::{Deserialize, Serialize};
use types::{GroupId, HashKeyRange, NodeId, SequenceNumber, ShardId, TimestampMs};

/// One shard of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its index in the stream.
    pub id: ShardId,
    /// The Raft group of its replicas.
    pub group: GroupId,
    /// The hash keys that fall to it.
    pub range: HashKeyRange,
    /// When it was made; its seconds are in the sequence numbers.
    pub created: TimestampMs,
    /// The shard that was split, or one of two that were merged.
    pub parent: Option<ShardId>,
    /// The other one of two that were merged.
    pub adjacent_parent: Option<ShardId>,
    /// Set when it takes no more records.
    pub closed: Option<ClosedShard>,
    /// The nodes of its replicas, each once.
    pub replicas: Vec<NodeId>,
}

impl Shard {
    /// Whether it takes records.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The sequence number at which it begins, below each of its records.
    #[must_use]
    pub fn starting_sequence_number(&self) -> SequenceNumber {
        SequenceNumber::starting(self.created.seconds(), self.id)
    }
}

/// The end of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedShard {
    /// When it was closed.
    pub at: TimestampMs,
    /// Its ending sequence number, above each of its records.
    pub ending: SequenceNumber,
}
