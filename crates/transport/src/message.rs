use std::time::Duration;

use bytes::Bytes;
use types::{GroupId, NodeId};

/// Which of a peer's connections carries a call. One lane never waits for the other, so that bulk never delays an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Lane {
    /// Votes, heartbeats and whatever else is small and urgent.
    Control = 1,
    /// Entries, records and whatever else may be large.
    Data = 2,
}

impl Lane {
    pub(crate) fn from_u8(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::Control),
            2 => Some(Self::Data),
            _ => None,
        }
    }
}

/// Who answers on the other node. The numbers are on the wire between versions of the program: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service(pub u8);

/// A call to be made.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who answers it.
    pub service: Service,
    /// The group it is about; [`GroupId::CATALOG`] where there is none. Decides among several data connections.
    pub group: GroupId,
    /// A small encoded header, under a checksum of its own.
    pub head: Bytes,
    /// Raw bytes, written as they are and under no checksum but TCP's: frames of the journal bring theirs, and who sends something
    /// else puts one into the head.
    pub body: Vec<Bytes>,
}

/// A call as it arrives.
#[derive(Clone, Debug)]
pub struct Call {
    /// The node that calls, as checked in the handshake.
    pub from: NodeId,
    /// How it came.
    pub lane: Lane,
    /// The group it is about.
    pub group: GroupId,
    /// As the caller encoded it.
    pub head: Bytes,
    /// The caller's pieces as one, shared with `head` and nothing else: it may be kept for as long as one likes.
    pub body: Bytes,
    /// How long the caller waits for the answer, counted from its sending.
    pub deadline: Duration,
}

/// The answer to a call.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// A small encoded header, under a checksum of its own.
    pub head: Bytes,
    /// Raw bytes, as in [`Request::body`].
    pub body: Vec<Bytes>,
}

/// An answer as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// As the other node encoded it.
    pub head: Bytes,
    /// The other node's pieces as one, shared with `head` and nothing else.
    pub body: Bytes,
}

/// Bytes of a message's head and body.
pub(crate) fn payload_bytes(head: &Bytes, body: &[Bytes]) -> usize {
    head.len() + body.iter().map(Bytes::len).sum::<usize>()
}
