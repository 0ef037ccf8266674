//! openraft with our types.

use std::fmt;

use bytes::Bytes;
use openraft::entry::RaftEntry;
use openraft::entry::RaftPayload;
use openraft::impls::{EmptyNode, InlineBatch, OneshotResponder, leader_id_std};
use openraft::type_config::alias::{CommittedLeaderIdOf, LogIdOf};
use openraft::{Membership, RaftTypeConfig};
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;

/// The types openraft works with. The runtime's randomness comes from a seed in the released program too: one way, tested everywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Config;

/// openraft's runtime; everything it spawns must happen inside `Runtime::scope`.
pub(crate) type Runtime = DeterministicRng<TokioRuntime>;
pub(crate) type RaftLogId = LogIdOf<Config>;
pub(crate) type RaftVote = openraft::impls::Vote<leader_id_std::LeaderId<u64, u64>>;
pub(crate) type Members = Membership<u64, EmptyNode>;

impl RaftTypeConfig for Config {
    type D = Proposal;
    type R = Reply;
    type NodeId = u64;
    type Node = EmptyNode;
    type Term = u64;
    type LeaderId = leader_id_std::LeaderId<u64, u64>;
    type Vote = RaftVote;
    type Payload = Payload;
    type Entry = Entry;
    type AsyncRuntime = Runtime;
    type Responder<T>
        = OneshotResponder<Self, T>
    where
        T: openraft::OptionalSend + 'static;
    type Batch<T>
        = InlineBatch<T>
    where
        T: openraft::OptionalSend + 'static;
    type ErrorSource = openraft::AnyError;
}

/// The bytes of a proposed entry.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proposal(pub(crate) Bytes);

impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The state machine's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply(pub(crate) Bytes);

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Blank,
    Normal(Proposal),
    Membership(Members),
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl RaftPayload for Payload {
    type D = Proposal;
    type NodeId = u64;
    type Node = EmptyNode;

    fn blank() -> Self {
        Self::Blank
    }

    fn with_normal(self, data: Proposal) -> Self {
        Self::Normal(data)
    }

    fn with_membership(self, membership: Members) -> Self {
        Self::Membership(membership)
    }

    fn get_membership(&self) -> Option<Members> {
        match self {
            Self::Membership(members) => Some(members.clone()),
            Self::Blank | Self::Normal(_) => None,
        }
    }
}

/// An entry of the log, as openraft handles it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) log_id: RaftLogId,
    pub(crate) payload: Payload,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.log_id, self.payload)
    }
}

impl RaftEntry for Entry {
    type CommittedLeaderId = CommittedLeaderIdOf<Config>;
    type Payload = Payload;

    fn new(log_id: RaftLogId, payload: Payload) -> Self {
        Self { log_id, payload }
    }

    fn log_id_parts(&self) -> (&CommittedLeaderIdOf<Config>, u64) {
        (self.log_id.committed_leader_id(), self.log_id.index())
    }

    fn set_log_id(&mut self, new: RaftLogId) {
        self.log_id = new;
    }

    fn get_membership(&self) -> Option<Members> {
        self.payload.get_membership()
    }
}
