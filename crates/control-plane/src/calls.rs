//! What nodes ask each other about the catalog and their part in it.

use std::collections::BTreeSet;

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
    /// Say up to where the catalog is applied, if this is its leader beyond doubt, and what it knows of whoever asks.
    Index,
    /// Have another node lead a shard.
    Transfer { group: GroupId, to: NodeId },
    /// Say all that a status of the cluster takes.
    Standing,
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
    Index(Option<Indexed>),
    /// Whether it has come to pass, else why not.
    Transferred(Result<(), String>),
    /// The question makes no sense to this version.
    Nonsense,
    Standing(Standing),
}

/// What the catalog's leader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Indexed {
    /// Up to where it has applied the catalog.
    pub(crate) applied: u64,
    /// The generation of the asking node's replica of it, if that is a member.
    pub(crate) generation: Option<u32>,
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

/// All that a node says for a status of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) report: Report,
    /// Entries that other replicas of the shards it leads are known to lack; those that lack none are left out.
    pub(crate) lags: Vec<(GroupId, ReplicaId, u64)>,
    /// What it has heard of each member of the cluster.
    pub(crate) heard: Vec<Heard>,
    /// Up to where it has applied the catalog.
    pub(crate) applied_index: u64,
    /// The catalog's group, if it leads that.
    pub(crate) catalog: Option<CatalogGroup>,
}

/// What one node has heard of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) node: NodeId,
    pub(crate) is_alive: bool,
    /// Milliseconds since it was heard last.
    pub(crate) silent_ms: u64,
}

/// The catalog's group, as its leader knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CatalogGroup {
    pub(crate) voters: BTreeSet<NodeId>,
    pub(crate) learners: BTreeSet<NodeId>,
    /// Those of them that have another replica of it by now than the one that is a member.
    pub(crate) outdated: BTreeSet<NodeId>,
    /// Entries that the others are known to lack.
    pub(crate) lags: Vec<(NodeId, u64)>,
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
            Ask::Standing,
        ];
        for ask in asks {
            assert_eq!(decode(&encode(&ask)), Some(ask));
        }
        let report = Report {
            led: vec![GroupId(1), GroupId(400)],
            damaged: vec![(GroupId(2), ReplicaId::new(NodeId(1), 3))],
            remains: vec![9],
        };
        let standing = Standing {
            report: report.clone(),
            lags: vec![(GroupId(1), ReplicaId::new(NodeId(2), 0), 77)],
            heard: vec![Heard { node: NodeId(2), is_alive: true, silent_ms: 12 }],
            applied_index: 7,
            catalog: Some(CatalogGroup {
                voters: [NodeId(1)].into(),
                learners: [NodeId(2)].into(),
                outdated: [NodeId(2)].into(),
                lags: vec![(NodeId(2), 3)],
            }),
        };
        let tolds = [
            Told::Standing(standing),
            Told::Proposed(vec![0]),
            Told::NotLeader(Some(NodeId(1))),
            Told::Unknown("late".into()),
            Told::Report(report),
            Told::Transferred(Err("no".into())),
            Told::Index(Some(Indexed { applied: 8, generation: Some(1) })),
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
