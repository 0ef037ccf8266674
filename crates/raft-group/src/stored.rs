//! Between openraft's types and ours: what is on disk knows nothing of openraft.

use std::collections::BTreeSet;
use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use journal::{Frame, FrameKind, LogId, Vote};
use openraft::StoredMembership;
use openraft::impls::EmptyNode;
use types::GroupId;

use crate::config::{Config, Entry, Members, Payload, Proposal, RaftLogId, RaftVote};

/// A membership with the entry that brought it.
pub(crate) type Stored = StoredMembership<openraft::type_config::alias::CommittedLeaderIdOf<Config>, u64, EmptyNode>;

/// Format of [`put_members`] and of the state's envelope.
const VERSION: u8 = 1;
/// Groups are small; a stored count above this is damage.
const MEMBERS_MAX: usize = 64;

pub(crate) fn to_raft(log_id: LogId) -> RaftLogId {
    RaftLogId::new_term_index(log_id.term, log_id.index)
}

pub(crate) fn from_raft(log_id: &RaftLogId) -> LogId {
    LogId { term: log_id.committed_leader_id().term, index: log_id.index() }
}

pub(crate) fn vote_to_raft(vote: Vote) -> RaftVote {
    if vote.committed { RaftVote::new_committed(vote.term, vote.node) } else { RaftVote::new(vote.term, vote.node) }
}

pub(crate) fn vote_from_raft(vote: &RaftVote) -> Vote {
    let leader = vote.leader_id();
    Vote { term: leader.term, node: leader.voted_for, committed: vote.is_committed() }
}

/// The frame of an entry; its checksum is computed here, once.
pub(crate) fn to_frame(group: GroupId, entry: Entry) -> Frame {
    let log_id = from_raft(&entry.log_id);
    let (kind, payload) = match entry.payload {
        Payload::Blank => (FrameKind::Blank, Bytes::new()),
        Payload::Normal(Proposal(bytes)) => (FrameKind::Normal, bytes),
        Payload::Membership(members) => {
            let mut out = BytesMut::new();
            put_members(&members, &mut out);
            (FrameKind::Membership, out.freeze())
        }
    };
    Frame::new(group, kind, log_id, 0, payload)
}

pub(crate) fn from_frame(frame: Frame) -> io::Result<Entry> {
    let payload = match frame.kind {
        FrameKind::Blank => Payload::Blank,
        FrameKind::Normal => Payload::Normal(Proposal(frame.payload)),
        FrameKind::Membership => Payload::Membership(get_members(&mut frame.payload.as_ref()).ok_or_else(unreadable)?),
        kind => return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{kind:?} is no entry"))),
    };
    Ok(Entry { log_id: to_raft(frame.log_id), payload })
}

pub(crate) fn unreadable() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a stored membership or state cannot be read")
}

/// `version u8, configs u16, (voters u16, voter u64 …)…, members u16, member u64 …`, little endian. More than one config: a change is
/// under way, and each of them needs a quorum.
fn put_members(members: &Members, out: &mut BytesMut) {
    out.put_u8(VERSION);
    let configs = members.get_joint_config();
    out.put_u16_le(configs.len() as u16);
    for config in configs {
        put_nodes(config.iter().copied(), config.len(), out);
    }
    put_nodes(members.nodes().map(|(id, _)| *id), members.nodes().count(), out);
}

fn put_nodes(nodes: impl Iterator<Item = u64>, count: usize, out: &mut BytesMut) {
    out.put_u16_le(count as u16);
    nodes.for_each(|node| out.put_u64_le(node));
}

fn get_members(bytes: &mut &[u8]) -> Option<Members> {
    if bytes.try_get_u8().ok()? != VERSION {
        return None;
    }
    let configs = bytes.try_get_u16_le().ok()? as usize;
    if configs > MEMBERS_MAX {
        return None;
    }
    let configs: Vec<BTreeSet<u64>> = (0..configs).map(|_| get_nodes(bytes)).collect::<Option<_>>()?;
    let nodes = get_nodes(bytes)?.into_iter().map(|id| (id, EmptyNode::default()));
    Members::new(configs, nodes.collect::<std::collections::BTreeMap<_, _>>()).ok()
}

fn get_nodes(bytes: &mut &[u8]) -> Option<BTreeSet<u64>> {
    let count = bytes.try_get_u16_le().ok()? as usize;
    if count > MEMBERS_MAX {
        return None;
    }
    (0..count).map(|_| bytes.try_get_u64_le().ok()).collect()
}

/// A machine's state with the memberships that matter from its snapshot on, oldest first; the last one is in force.
pub(crate) struct Envelope {
    pub(crate) memberships: Vec<Stored>,
    pub(crate) state: Bytes,
}

impl Envelope {
    /// `version u8, count u16, (has_position u8, [term u64, index u64], members) …, state …`
    ///
    /// # Panics
    /// If there are more memberships than a count can say: operators change them by hand, a few times between two trims.
    pub(crate) fn encode(memberships: &[Stored], state: &[u8]) -> Bytes {
        assert!(memberships.len() <= usize::from(u16::MAX), "the memberships since the snapshot can be counted");
        let mut out = BytesMut::with_capacity(64 + state.len());
        out.put_u8(VERSION);
        out.put_u16_le(memberships.len() as u16);
        for membership in memberships {
            out.put_u8(u8::from(membership.log_id().is_some()));
            if let Some(log_id) = membership.log_id() {
                let log_id = from_raft(log_id);
                out.put_u64_le(log_id.term);
                out.put_u64_le(log_id.index);
            }
            put_members(membership.membership(), &mut out);
        }
        out.extend_from_slice(state);
        out.freeze()
    }

    pub(crate) fn decode(bytes: &Bytes) -> io::Result<Self> {
        let mut rest: &[u8] = bytes;
        if rest.try_get_u8() != Ok(VERSION) {
            return Err(unreadable());
        }
        let count = rest.try_get_u16_le().map_err(|_| unreadable())?;
        let memberships =
            (0..count).map(|_| get_membership(&mut rest)).collect::<Option<_>>().ok_or_else(unreadable)?;
        Ok(Self { memberships, state: bytes.slice_ref(rest) })
    }
}

fn get_membership(rest: &mut &[u8]) -> Option<Stored> {
    let log_id = match rest.try_get_u8().ok()? {
        0 => None,
        1 => {
            let (term, index) = (rest.try_get_u64_le().ok()?, rest.try_get_u64_le().ok()?);
            Some(to_raft(LogId { term, index }))
        }
        _ => return None,
    };
    Some(Stored::new(log_id, get_members(rest)?))
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn members() -> impl Strategy<Value = Members> {
        let configs = vec(btree_set(0..40_u64, 1..5), 1..3);
        (configs, btree_set(0..40_u64, 0..5)).prop_map(|(configs, learners)| {
            let nodes = configs.iter().flatten().chain(&learners).map(|id| (*id, EmptyNode::default()));
            let nodes: std::collections::BTreeMap<_, _> = nodes.collect();
            Members::new(configs, nodes).unwrap()
        })
    }

    fn log_id() -> impl Strategy<Value = RaftLogId> {
        (any::<u64>(), any::<u64>()).prop_map(|(term, index)| to_raft(LogId { term, index }))
    }

    fn payload() -> impl Strategy<Value = Payload> {
        prop_oneof![
            Just(Payload::Blank),
            vec(any::<u8>(), 0..40).prop_map(|bytes| Payload::Normal(Proposal(bytes.into()))),
            members().prop_map(Payload::Membership),
        ]
    }

    #[test]
    fn members_stand_on_disk_as_documented() {
        let nodes = std::collections::BTreeMap::from([(1, EmptyNode::default()), (7, EmptyNode::default())]);
        let members = Members::new(vec![BTreeSet::from([1])], nodes).unwrap();
        let stored = Stored::new(Some(to_raft(LogId { term: 2, index: 3 })), members);
        let hex: String = Envelope::encode(&[stored], b"s").iter().map(|byte| format!("{byte:02x}")).collect();
        let word = |number: u64| format!("{number:02x}00000000000000");
        let members = ["01", "0100", "0100", &word(1), "0200", &word(1), &word(7)].concat();
        assert_eq!(hex, ["01", "0100", "01", &word(2), &word(3), &members, "73"].concat());
    }

    proptest! {
        #[test]
        fn an_entry_reads_back_as_it_was_proposed(log_id in log_id(), payload in payload()) {
            let entry = Entry { log_id, payload };
            prop_assert_eq!(from_frame(to_frame(GroupId(1), entry.clone())).unwrap(), entry);
        }

        #[test]
        fn a_vote_reads_back(term: u64, node: u64, committed: bool) {
            let vote = Vote { term, node, committed };
            prop_assert_eq!(vote_from_raft(&vote_to_raft(vote)), vote);
        }

        #[test]
        fn an_envelope_reads_back_and_a_cut_one_is_refused(
            memberships in vec((proptest::option::of(log_id()), members()), 0..5),
            state in vec(any::<u8>(), 0..40),
        ) {
            let memberships: Vec<_> =
                memberships.into_iter().map(|(log_id, members)| Stored::new(log_id, members)).collect();
            let bytes = Envelope::encode(&memberships, &state);
            let envelope = Envelope::decode(&bytes).unwrap();
            prop_assert_eq!(&envelope.memberships, &memberships);
            prop_assert_eq!(&envelope.state[..], &state[..]);
            for cut in 0..bytes.len() - state.len() {
                prop_assert!(Envelope::decode(&bytes.slice(..cut)).is_err(), "cut at {}", cut);
            }
        }

        #[test]
        fn garbage_is_refused_without_a_panic(bytes: Vec<u8>, log_id in log_id()) {
            let _ = Envelope::decode(&bytes.clone().into());
            let _ = from_frame(Frame::new(GroupId(1), FrameKind::Membership, from_raft(&log_id), 0, bytes.into()));
        }
    }
}
