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
    /// `count u8, (has_position u8, [term u64, index u64], members) …, state …`
    pub(crate) fn encode(memberships: &[Stored], state: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(64 + state.len());
        out.put_u8(memberships.len() as u8);
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
        let count = rest.try_get_u8().map_err(|_| unreadable())?;
        let memberships = (0..count).map(|_| get_membership(&mut rest)).collect::<Option<_>>().ok_or_else(unreadable)?;
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
    use super::*;

    #[test]
    fn a_joint_membership_reads_back() {
        let nodes: std::collections::BTreeMap<_, _> = (1..6).map(|id| (id, EmptyNode::default())).collect();
        let members = Members::new(vec![BTreeSet::from([1, 2, 3]), BTreeSet::from([3, 4])], nodes).unwrap();
        let entry = Entry { log_id: to_raft(LogId { term: 4, index: 9 }), payload: Payload::Membership(members.clone()) };
        let frame = to_frame(GroupId(1), entry.clone());
        assert_eq!(from_frame(frame.clone()).unwrap(), entry);
        for cut in 0..frame.payload.len() {
            assert!(get_members(&mut &frame.payload[..cut]).is_none(), "cut at {cut}");
        }
        let stored = Stored::new(Some(to_raft(LogId { term: 4, index: 9 })), members);
        let envelope = Envelope::decode(&Envelope::encode(&[Stored::default(), stored.clone()], b"state")).unwrap();
        assert_eq!((envelope.memberships, &envelope.state[..]), (vec![Stored::default(), stored], &b"state"[..]));
    }
}
