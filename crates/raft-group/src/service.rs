//! What this node answers to the replicas and nodes of the others.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use env::BoxFuture;
use futures_util::task::noop_waker_ref;
use journal::{Frame, LogId, Snapshot, Vote};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, TransferLeaderRequest, VoteRequest};
use openraft::type_config::alias::SnapshotOf;
use transport::{Answer, Call, Handler, Service};
use types::NodeId;

use crate::config::Config;
use crate::member::Member;
use crate::messages::{Message, Pulse, Reply, VotePurpose};
use crate::node::Inner;
use crate::snapshot::{SnapshotBytes, meta};
use crate::{messages, stored};

/// Messages between the replicas of a group.
pub(crate) const RAFT: Service = Service(1);
/// Pulses between nodes.
pub(crate) const PULSE: Service = Service(2);

pub(crate) struct PulseService(pub(crate) Arc<Inner>);

impl Handler for PulseService {
    fn handle(&self, call: Call) -> BoxFuture<'static, Answer> {
        let reply = match messages::decode::<Pulse>(&call.head) {
            Some(pulse) => messages::encode(&self.0.take_pulse(call.from, &pulse)),
            None => Bytes::new(),
        };
        Box::pin(std::future::ready(Answer { head: reply, body: Vec::new() }))
    }
}

pub(crate) struct RaftService(pub(crate) Arc<Inner>);

impl Handler for RaftService {
    fn handle(&self, call: Call) -> BoxFuture<'static, Answer> {
        let mut reply = self.0.answer(call);
        // Polled once here, where calls come in the order they were sent: entries are in the group's queue before those that follow
        // them. The queue has room unless the group is stuck.
        let first = reply.as_mut().poll(&mut Context::from_waker(noop_waker_ref()));
        Box::pin(async move {
            let reply = match first {
                Poll::Ready(reply) => reply,
                Poll::Pending => reply.await,
            };
            Answer { head: messages::encode(&reply), body: Vec::new() }
        })
    }
}

impl Inner {
    fn answer(self: &Arc<Self>, call: Call) -> BoxFuture<'static, Reply> {
        let none = || Box::pin(std::future::ready(Reply::NoReplica));
        let Some(message) = messages::decode::<Message>(&call.head) else { return none() };
        let Some(member) = self.member(call.group) else { return none() };
        let to = match &message {
            Message::Append { to, .. }
            | Message::Vote { to, .. }
            | Message::Snapshot { to, .. }
            | Message::Campaign { to, .. } => *to,
        };
        if to != member.replica {
            return none();
        }
        match message {
            Message::Append { vote, prev, commit, .. } => match messages::decode_frames(call.body, call.group) {
                Some(frames) if can_wait(&frames, member.log.last()) && !member.log.has_room() => {
                    Box::pin(put_off(member, vote, prev, commit))
                }
                Some(frames) => Box::pin(append(member, vote, prev, commit, frames)),
                None => none(),
            },
            Message::Vote { vote, last, purpose, .. } => {
                if purpose != VotePurpose::Transfer && self.is_loyal(&member, call.from) {
                    let (vote, last) = (member.vote(), member.log.last());
                    return Box::pin(std::future::ready(Reply::Voted { vote, last, granted: false }));
                }
                Box::pin(give_vote(member, vote, last, purpose))
            }
            Message::Snapshot { crc, .. } if crc32c::crc32c(&call.body) != crc => none(),
            Message::Snapshot { vote, last, .. } => Box::pin(install(member, vote, last, call.body)),
            Message::Campaign { .. } if self.is_leaving() => Box::pin(std::future::ready(Reply::Campaigning(false))),
            Message::Campaign { vote, last, .. } => Box::pin(campaign(member, vote, last)),
        }
    }

    /// Whether a replica stands by its leader against a candidate on another node. Raft's own rule does it by time since the last
    /// entry, but here nothing is sent to an idle group: who is alive is known by node.
    fn is_loyal(&self, member: &Member, candidate: NodeId) -> bool {
        match member.leader() {
            Some(leader) if leader == self.node => self.is_bound_quorum(member),
            Some(leader) => leader != candidate && !member.is_doubted() && self.is_alive(leader),
            None => false,
        }
    }
}

/// Whether the entries may be put off. Not the first ones of a new term: everything that earlier leaders left uncommitted waits for one of these
/// to be committed, and only then can leave memory.
fn can_wait(frames: &[Frame], last: Option<LogId>) -> bool {
    let newest = frames.last().map(|frame| frame.log_id.term);
    newest.is_some_and(|term| last.is_some_and(|last| term <= last.term))
}

async fn append(
    member: Arc<Member>,
    vote: Vote,
    prev: Option<LogId>,
    commit: Option<LogId>,
    frames: Vec<Frame>,
) -> Reply {
    let Ok(entries) = frames.into_iter().map(stored::from_frame).collect::<io::Result<Vec<_>>>() else {
        return Reply::NoReplica;
    };
    let rpc = AppendEntriesRequest::<Config> {
        vote: stored::vote_to_raft(vote),
        prev_log_id: prev.map(stored::to_raft),
        leader_commit: commit.map(stored::to_raft),
        entries,
    };
    match member.raft.append_entries(rpc).await {
        Ok(AppendEntriesResponse::Success | AppendEntriesResponse::PartialSuccess(_)) => Reply::Appended,
        Ok(AppendEntriesResponse::Conflict) => {
            let (group, last) = (member.log.id(), member.log.last());
            tracing::debug!(%group, replica = %member.replica, ?prev, ?last, "entries do not follow what is here");
            Reply::Conflict
        }
        Ok(AppendEntriesResponse::HigherVote(vote)) => Reply::HigherVote(stored::vote_from_raft(&vote)),
        Err(_died) => Reply::NoReplica,
    }
}

/// There is no room for entries now. How far the leader has committed is taken note of: what is applied can leave memory. The leader
/// tries again after a pause.
async fn put_off(member: Arc<Member>, vote: Vote, prev: Option<LogId>, commit: Option<LogId>) -> Reply {
    match append(member, vote, prev, commit, Vec::new()).await {
        Reply::Appended => Reply::NoReplica,
        reply => reply,
    }
}

async fn give_vote(member: Arc<Member>, vote: Vote, last: Option<LogId>, purpose: VotePurpose) -> Reply {
    let mut rpc = VoteRequest::<Config>::new(stored::vote_to_raft(vote), last.map(stored::to_raft));
    rpc.leadership_transfer = purpose == VotePurpose::Transfer;
    let response = match purpose {
        VotePurpose::Probe => member.raft.pre_vote(rpc).await,
        VotePurpose::Election | VotePurpose::Transfer => {
            // Begins before the vote is in the group's queue: no claim of the present leader is confirmed behind it.
            let voting = member.voting();
            let response = member.raft.vote(rpc).await;
            if let Some(given) = response.as_ref().ok().filter(|response| response.vote_granted) {
                voting.given(stored::vote_from_raft(&given.vote).term);
            }
            response
        }
    };
    match response {
        Ok(response) => Reply::Voted {
            vote: stored::vote_from_raft(&response.vote),
            last: response.last_log_id.as_ref().map(stored::from_raft),
            granted: response.vote_granted,
        },
        Err(_died) => Reply::NoReplica,
    }
}

async fn install(member: Arc<Member>, vote: Vote, last: LogId, state: Bytes) -> Reply {
    let Ok(meta) = meta(&Snapshot { log_id: last, state: state.clone() }) else { return Reply::NoReplica };
    let snapshot = SnapshotOf::<Config, SnapshotBytes> { meta, snapshot: SnapshotBytes(state) };
    match member.raft.install_full_snapshot(stored::vote_to_raft(vote), snapshot).await {
        Ok(response) => Reply::Installed { vote: stored::vote_from_raft(&response.vote) },
        Err(_died) => Reply::NoReplica,
    }
}

async fn campaign(member: Arc<Member>, vote: Vote, last: Option<LogId>) -> Reply {
    let (vote, last) = (stored::vote_to_raft(vote), last.map(stored::to_raft));
    match member.raft.handle_transfer_leader(TransferLeaderRequest::new(vote, member.replica.0, last)).await {
        Ok(campaigning) => Reply::Campaigning(campaigning.is_ok()),
        Err(_died) => Reply::NoReplica,
    }
}
