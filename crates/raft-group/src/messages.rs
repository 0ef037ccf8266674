//! What replicas of a group, and nodes, say to each other. The small heads pass through serde; entries follow as frames, the same
//! bytes that stand in the journal.

use bincode::config;
use bytes::{Bytes, BytesMut};
use journal::{FRAME_HEADER_LEN, Frame, LogId, Vote};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use types::{GroupId, ReplicaId};

/// Bytes of a head at most: the largest lists the groups of an audit, 16 bytes each.
const HEAD_BYTES_MAX: usize = 4 << 20;

/// To a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Message {
    /// Entries behind `prev`, which follow as frames, or none; and how far the leader has committed.
    Append { to: ReplicaId, vote: Vote, prev: Option<LogId>, commit: Option<LogId> },
    /// A candidate asks for a vote, or whether it would get one.
    Vote { to: ReplicaId, vote: Vote, last: Option<LogId>, purpose: VotePurpose },
    /// The state at `last`, which follows as an envelope with this checksum, in place of the entries up to it.
    Snapshot { to: ReplicaId, vote: Vote, last: LogId, crc: u32 },
    /// The leader gives its office away: campaign at once.
    Campaign { to: ReplicaId, vote: Vote, last: Option<LogId> },
}

/// Why a vote is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum VotePurpose {
    /// Only to know: nothing is promised.
    Probe,
    Election,
    /// The leader has asked for it, so that nobody need be loyal to it.
    Transfer,
}

/// From a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The node has no such replica now, or it has died.
    NoReplica,
    Appended,
    /// The entry at `prev` is another one here, or missing.
    Conflict,
    /// Another leader's time has come.
    HigherVote(Vote),
    Voted {
        vote: Vote,
        last: Option<LogId>,
        granted: bool,
    },
    Installed {
        vote: Vote,
    },
    /// Whether it campaigns.
    Campaigning(bool),
}

/// Every so often, between each pair of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pulse {
    /// Drawn at each start of the process.
    pub(crate) incarnation: u64,
    /// Groups that the sender takes to be led by the receiver, with the term; empty but for audits.
    pub(crate) audit: Vec<(GroupId, u64)>,
    /// Groups that the sender leads, with the term, and has yet to hear that the receiver follows it there.
    pub(crate) claims: Vec<(GroupId, u64)>,
    /// Groups that the sender takes to be led by the receiver, and of which it holds entries without hearing that they are committed.
    pub(crate) waiting: Vec<GroupId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PulseReply {
    pub(crate) incarnation: u64,
    /// Of the audited groups, those that the receiver does not lead.
    pub(crate) not_led: Vec<GroupId>,
    /// Of the claimed groups, those in which the receiver follows the sender.
    pub(crate) followed: Vec<GroupId>,
}

pub(crate) fn encode(value: &impl Serialize) -> Bytes {
    // Fails only for values that serde can't describe; these are plain, and the tests encode each kind.
    bincode::serde::encode_to_vec(value, config::standard()).expect("plain values encode").into()
}

/// `None` if the bytes are no such value.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let limited = config::standard().with_limit::<HEAD_BYTES_MAX>();
    let (value, used) = bincode::serde::decode_from_slice(bytes, limited).ok()?;
    (used == bytes.len()).then_some(value)
}

/// The frames' bytes, payloads shared.
pub(crate) fn encode_frames(frames: &[Frame]) -> Vec<Bytes> {
    let mut headers = BytesMut::with_capacity(frames.len() * FRAME_HEADER_LEN);
    let mut out = Vec::with_capacity(frames.len() * 2);
    for frame in frames {
        frame.put_header(&mut headers);
        out.push(headers.split().freeze());
        out.push(frame.payload.clone());
    }
    out
}

/// The frames in `bytes`, which they share; `None` if one is damaged or of another group.
pub(crate) fn decode_frames(mut bytes: Bytes, group: GroupId) -> Option<Vec<Frame>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let frame = Frame::read(&bytes).filter(|frame| frame.group == group && frame.kind.is_entry())?;
        drop(bytes.split_to(frame.encoded_len()));
        frames.push(frame);
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use journal::FrameKind;
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;
    use types::NodeId;

    use super::*;

    fn log_id() -> impl Strategy<Value = LogId> {
        (any::<u64>(), any::<u64>()).prop_map(|(term, index)| LogId { term, index })
    }

    fn vote() -> impl Strategy<Value = Vote> {
        (any::<u64>(), any::<u64>(), any::<bool>()).prop_map(|(term, node, committed)| Vote { term, node, committed })
    }

    fn replica() -> impl Strategy<Value = ReplicaId> {
        (any::<u32>(), 0..5u32).prop_map(|(node, generation)| ReplicaId::new(NodeId(node.into()), generation))
    }

    fn message() -> impl Strategy<Value = Message> {
        let purpose = prop_oneof![Just(VotePurpose::Probe), Just(VotePurpose::Election), Just(VotePurpose::Transfer)];
        prop_oneof![
            (replica(), vote(), of(log_id()), of(log_id())).prop_map(|(to, vote, prev, commit)| Message::Append {
                to,
                vote,
                prev,
                commit
            }),
            (replica(), vote(), of(log_id()), purpose).prop_map(|(to, vote, last, purpose)| Message::Vote {
                to,
                vote,
                last,
                purpose
            }),
            (replica(), vote(), log_id(), any::<u32>()).prop_map(|(to, vote, last, crc)| Message::Snapshot {
                to,
                vote,
                last,
                crc
            }),
            (replica(), vote(), of(log_id())).prop_map(|(to, vote, last)| Message::Campaign { to, vote, last }),
        ]
    }

    fn reply() -> impl Strategy<Value = Reply> {
        prop_oneof![
            Just(Reply::NoReplica),
            Just(Reply::Appended),
            Just(Reply::Conflict),
            vote().prop_map(Reply::HigherVote),
            (vote(), of(log_id()), any::<bool>()).prop_map(|(vote, last, granted)| Reply::Voted {
                vote,
                last,
                granted
            }),
            vote().prop_map(|vote| Reply::Installed { vote }),
            any::<bool>().prop_map(Reply::Campaigning),
        ]
    }

    #[test]
    fn a_message_stands_on_the_wire_as_documented() {
        let message = Message::Append {
            to: ReplicaId::new(NodeId(3), 0),
            vote: Vote { term: 2, node: 1, committed: true },
            prev: Some(LogId { term: 2, index: 9 }),
            commit: None,
        };
        assert_eq!(encode(&message).as_ref(), [0, 3, 2, 1, 1, 1, 2, 9, 0]);
    }

    proptest! {
        #[test]
        fn messages_and_replies_read_back(message in message(), reply in reply(), groups in vec(any::<u64>(), 0..20)) {
            prop_assert_eq!(decode::<Message>(&encode(&message)), Some(message));
            prop_assert_eq!(decode::<Reply>(&encode(&reply)), Some(reply));
            let audit: Vec<_> = groups.iter().map(|group| (GroupId(*group), 1)).collect();
            let waiting = vec![GroupId(3)];
            let pulse = Pulse { incarnation: 7, claims: audit.clone(), audit, waiting };
            prop_assert_eq!(decode::<Pulse>(&encode(&pulse)), Some(pulse));
            let not_led: Vec<_> = groups.into_iter().map(GroupId).collect();
            let reply = PulseReply { incarnation: 7, followed: not_led.clone(), not_led };
            prop_assert_eq!(decode::<PulseReply>(&encode(&reply)), Some(reply));
        }

        #[test]
        fn garbage_is_refused_without_a_panic(bytes: Vec<u8>) {
            let _ = decode::<Message>(&bytes);
            let _ = decode::<Pulse>(&bytes);
            prop_assert!(bytes.is_empty() || decode_frames(bytes.into(), GroupId(1)).is_none());
        }

        #[test]
        fn frames_read_back_and_a_cut_or_flipped_byte_is_noticed(
            payloads in vec(vec(any::<u8>(), 0..60), 1..6),
            at: proptest::sample::Index,
        ) {
            let frame = |(index, payload): (u64, &Vec<u8>)| {
                let log_id = LogId { term: 3, index };
                Frame::new(GroupId(8), FrameKind::Normal, log_id, 0, payload.clone().into())
            };
            let frames: Vec<Frame> = (1..).zip(&payloads).map(frame).collect();
            let bytes = encode_frames(&frames).concat();
            prop_assert_eq!(decode_frames(bytes.clone().into(), GroupId(8)), Some(frames));
            prop_assert_eq!(decode_frames(bytes.clone().into(), GroupId(9)), None);
            let at = at.index(bytes.len());
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            prop_assert_eq!(decode_frames(flipped.into(), GroupId(8)), None);
            let cut = decode_frames(Bytes::from(bytes[..at].to_vec()), GroupId(8));
            prop_assert!(cut.is_none_or(|frames| frames.len() < payloads.len()));
        }
    }
}
