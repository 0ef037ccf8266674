//! What nodes ask each other about the catalog and their part in it.

use bincode::config;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use transport::Service;
use types::{GroupId, NodeId, ReplicaId};

/// Questions about the catalog.
pub(crate) const CATALOG: Service = Service(4);

/// Bytes of a message at most: a report names every group that a node leads, some 5 bytes each.
const BYTES_MAX: usize = 16 << 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Have an encoded command carried out: as the leader, or with `relay` by whoever leads.
    Propose { command: Vec<u8>, relay: bool },
    /// Say how things stand, once the catalog here is as new as that of whoever asks.
    Report { applied_index: u64 },
    /// Say up to where the catalog is applied, if this is its leader beyond doubt.
    Index,
    /// Have another node lead a shard.
    Transfer { group: GroupId, to: NodeId },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Told {
    /// The state machine's answer.
    Proposed(Vec<u8>),
    /// Nothing was proposed.
    NotLeader(Option<NodeId>),
    /// It may have been carried out.
    Unknown(String),
    Report(Report),
    /// `None` from a node that may not lead.
    Index(Option<u64>),
    /// Whether it has come to pass, else why not.
    Transferred(Result<(), String>),
    /// The question makes no sense to this version.
    Nonsense,
}

/// How things stand on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The shards that it leads and answers for.
    pub(crate) led: Vec<GroupId>,
    /// Its replicas that no longer work and never will.
    pub(crate) damaged: Vec<(GroupId, ReplicaId)>,
    /// Streams that are being deleted, of which it still has something.
    pub(crate) remains: Vec<u64>,
}

pub(crate) fn encode(value: &impl Serialize) -> Bytes {
    // Fails only for values that serde can't describe; these are plain, and the tests encode each kind.
    bincode::serde::encode_to_vec(value, config::standard()).expect("plain values encode").into()
}

/// `None` if the bytes are no such value.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let limited = config::standard().with_limit::<BYTES_MAX>();
    let (value, used) = bincode::serde::decode_from_slice(bytes, limited).ok()?;
    (used == bytes.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_question_and_answer_reads_back() {
        let asks = [
            Ask::Propose { command: vec![1, 2], relay: true },
            Ask::Report { applied_index: 7 },
            Ask::Index,
            Ask::Transfer { group: GroupId(3), to: NodeId(2) },
        ];
        for ask in asks {
            assert_eq!(decode(&encode(&ask)), Some(ask));
        }
        let report = Report {
            led: vec![GroupId(1), GroupId(400)],
            damaged: vec![(GroupId(2), ReplicaId::new(NodeId(1), 3))],
            remains: vec![9],
        };
        let tolds = [
            Told::Proposed(vec![0]),
            Told::NotLeader(Some(NodeId(1))),
            Told::Unknown("late".into()),
            Told::Report(report),
            Told::Transferred(Err("no".into())),
            Told::Index(Some(8)),
            Told::Nonsense,
        ];
        for told in tolds {
            assert_eq!(decode(&encode(&told)), Some(told));
        }
    }

    proptest! {
        #[test]
        fn garbage_is_refused_without_a_panic(bytes: Vec<u8>) {
            let _ = decode::<Ask>(&bytes);
            let _ = decode::<Told>(&bytes);
        }
    }
}
