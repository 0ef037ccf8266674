//! What the state machine answers to a command: the entry's index and the reply, in bincode's standard configuration. Only ever
//! in flight between the machine and [`crate::proposer`], never stored.

use bincode::config;
use bytes::Bytes;
use catalog_state::CatalogReply;

/// Encodes an answer.
pub(crate) fn encode(index: u64, reply: &CatalogReply) -> Bytes {
    // Fails only for values that serde can't describe, such as sequences of unknown length: a reply has none, and the test
    // encodes each kind.
    let bytes = bincode::serde::encode_to_vec((index, reply), config::standard()).expect("plain values encode");
    Bytes::from(bytes)
}

/// Reads an answer.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn decode(bytes: &[u8]) -> Result<(u64, CatalogReply), String> {
    let decoded = bincode::serde::decode_from_slice(bytes, config::standard());
    decoded.map(|(answer, _)| answer).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog_state::{CatalogError, ClusterId, NodeState, StreamStatus};
    use types::{GroupId, NodeId, ReplicaId};

    #[test]
    fn every_kind_of_reply_round_trips() {
        let refusals = [
            CatalogError::AlreadyInitialised(ClusterId(7)),
            CatalogError::NotInitialised,
            CatalogError::AlreadyExists,
            CatalogError::NotFound,
            CatalogError::NotActive { status: StreamStatus::Deleting },
            CatalogError::InvalidRetention { current: 24, asked: 23 },
            CatalogError::ShardLimitExceeded { current: 1, limit: 2, asked: 3 },
            CatalogError::OnDemandStreamLimitExceeded { limit: 1 },
            CatalogError::CreatingLimitExceeded { limit: 5 },
            CatalogError::NoShards,
            CatalogError::InvalidReplicas,
            CatalogError::Exhausted,
            CatalogError::UnknownNode(NodeId(1)),
            CatalogError::InvalidNodeId(NodeId(0)),
            CatalogError::NodeIdTaken(NodeId(1)),
            CatalogError::NodeRemoved(NodeId(1)),
            CatalogError::NodeStateChange { id: NodeId(1), from: NodeState::Leaving, to: NodeState::Draining },
            CatalogError::WrongNodeState { id: NodeId(1), state: NodeState::Active },
            CatalogError::NodeInUse { id: NodeId(1), group: GroupId(2) },
            CatalogError::UnknownGroup(GroupId(2)),
            CatalogError::ReplicasDiffer(GroupId(2)),
            CatalogError::WrongReplica { asked: ReplicaId(1), next: ReplicaId(2) },
        ];
        let others = [CatalogReply::Done, CatalogReply::Created { id: 9 }, CatalogReply::Joined { id: NodeId(3) }];
        for reply in refusals.into_iter().map(CatalogReply::Refused).chain(others) {
            assert_eq!(decode(&encode(3, &reply)), Ok((3, reply)));
        }
    }

    #[test]
    fn a_cut_reply_is_an_error() {
        let bytes = encode(300, &CatalogReply::Created { id: 9 });
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
