//! From a replica to the others of its group, over the node's transport.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::impls::EmptyNode;
use openraft::network::v2::RaftNetworkV2;
use openraft::network::{Backoff, RPCOption};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult, VoteRequest, VoteResponse,
};
use openraft::type_config::alias::{SnapshotOf, VoteOf};
use openraft::{OptionalSend, RaftNetworkFactory};
use transport::{CallError, Lane, Pending, Request};
use types::{GroupId, ReplicaId};

use crate::config::{Config, RaftLogId};
use crate::messages::{Message, Reply, VotePurpose};
use crate::node::Inner;
use crate::snapshot::SnapshotBytes;
use crate::{messages, service, stored};

/// What is waited for between two attempts to reach a replica: doubled each time, from the first to the last of these, and up to half
/// as much again by chance. A node that comes back is noticed by its pulse, which ends the waiting.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Makes the ways to the other replicas of one group.
pub(crate) struct Network {
    pub(crate) node: Arc<Inner>,
    pub(crate) group: GroupId,
}

impl RaftNetworkFactory<Config> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, _: &EmptyNode) -> Peer {
        Peer { node: Arc::clone(&self.node), group: self.group, target: ReplicaId(target) }
    }
}

/// The way to one replica.
#[derive(Clone)]
pub(crate) struct Peer {
    node: Arc<Inner>,
    group: GroupId,
    target: ReplicaId,
}

fn unreachable(error: &CallError) -> RPCError<Config> {
    match error {
        // Perhaps it has arrived; it may be sent again at once.
        CallError::Unknown(_) => NetworkError::new(error).into(),
        CallError::NotSent(_) | CallError::Refused(_) => Unreachable::new(error).into(),
    }
}

fn nonsense(reply: &Reply) -> RPCError<Config> {
    Unreachable::from_string(format!("the other replica answers {reply:?}")).into()
}

impl Peer {
    async fn call(
        &self,
        lane: Lane,
        message: &Message,
        body: Vec<Bytes>,
        deadline: Duration,
    ) -> Result<Reply, RPCError<Config>> {
        reply(self.send(lane, message, body, deadline).await?).await
    }

    /// Queues a message.
    async fn send(
        &self,
        lane: Lane,
        message: &Message,
        body: Vec<Bytes>,
        deadline: Duration,
    ) -> Result<Pending, RPCError<Config>> {
        let request = Request { service: service::RAFT, group: self.group, head: messages::encode(message), body };
        let sent = self.node.transport.send(self.target.node(), lane, request, deadline).await;
        sent.map_err(|error| unreachable(&error))
    }

    async fn send_append(&self, lane: Lane, rpc: AppendEntriesRequest<Config>) -> Result<Append, RPCError<Config>> {
        let last = rpc.entries.last().map(|entry| entry.log_id).or(rpc.prev_log_id);
        let message = Message::Append {
            to: self.target,
            vote: stored::vote_from_raft(&rpc.vote),
            prev: rpc.prev_log_id.as_ref().map(stored::from_raft),
            commit: rpc.leader_commit.as_ref().map(stored::from_raft),
        };
        let frames: Vec<_> = rpc.entries.into_iter().map(|entry| stored::to_frame(self.group, entry)).collect();
        let body = messages::encode_frames(&frames);
        let pending = self.send(lane, &message, body, self.node.options.append_deadline).await?;
        Ok(Append { pending, prev: rpc.prev_log_id, last })
    }

    async fn ask_for_vote(
        &self,
        rpc: VoteRequest<Config>,
        purpose: VotePurpose,
    ) -> Result<VoteResponse<Config>, RPCError<Config>> {
        let last = rpc.last_log_id.as_ref().map(stored::from_raft);
        let message = Message::Vote { to: self.target, vote: stored::vote_from_raft(&rpc.vote), last, purpose };
        match self.call(Lane::Control, &message, Vec::new(), self.node.options.call_deadline).await? {
            Reply::Voted { vote, last, granted } => {
                Ok(VoteResponse::new(stored::vote_to_raft(vote), last.map(stored::to_raft), granted))
            }
            reply => Err(nonsense(&reply)),
        }
    }
}

async fn reply(pending: Pending) -> Result<Reply, RPCError<Config>> {
    let answer = pending.await.map_err(|error| unreachable(&error))?;
    messages::decode(&answer.head)
        .ok_or_else(|| Unreachable::from_string("the other node's answer makes no sense").into())
}

/// The entries behind `prev` up to `last`, on their way.
struct Append {
    pending: Pending,
    prev: Option<RaftLogId>,
    last: Option<RaftLogId>,
}

impl Append {
    /// What became of them.
    async fn response(self) -> Result<AppendEntriesResponse<Config>, RPCError<Config>> {
        match reply(self.pending).await? {
            Reply::Appended => Ok(AppendEntriesResponse::Success),
            // Nothing can conflict with the beginning of the log.
            Reply::Conflict if self.prev.is_none() => Err(nonsense(&Reply::Conflict)),
            Reply::Conflict => Ok(AppendEntriesResponse::Conflict),
            Reply::HigherVote(vote) => Ok(AppendEntriesResponse::HigherVote(stored::vote_to_raft(vote))),
            reply => Err(nonsense(&reply)),
        }
    }
}

impl RaftNetworkV2<Config> for Peer {
    type SnapshotData = SnapshotBytes;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Config>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<Config>, RPCError<Config>> {
        // Used where a leader makes sure that it still leads: this must not wait behind bulk.
        let lane = if rpc.entries.is_empty() { Lane::Control } else { Lane::Data };
        self.send_append(lane, rpc).await?.response().await
    }

    /// Several messages are on their way at once. They arrive in order: each is queued before the next one is looked at. Were one to
    /// overtake another, its conflict would look to the leader as if the follower had lost what it had confirmed.
    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        _: RPCOption,
    ) -> BoxFuture<'s, Result<BoxStream<'s, Result<StreamAppendResult<Config>, RPCError<Config>>>, RPCError<Config>>>
    where
        S: Stream<Item = AppendEntriesRequest<Config>> + OptionalSend + Unpin + 'static,
    {
        let in_flight = self.node.options.appends_in_flight.max(1);
        let peer = self.clone();
        let appends = input.then(move |rpc| {
            let peer = peer.clone();
            async move { peer.send_append(Lane::Data, rpc).await }
        });
        let outcomes = appends.map(|append| async move {
            let append = append?;
            let (prev, last) = (append.prev, append.last);
            Ok(append.response().await?.into_stream_result(prev, last))
        });
        let results = outcomes.buffered(in_flight);
        // Whoever reads it stops at the first error; what is behind it is about a state that does not hold.
        let results = results.scan(false, |failed, result| {
            let over = std::mem::replace(failed, !matches!(result, Ok(Ok(_))));
            std::future::ready((!over).then_some(result))
        });
        let results: BoxStream<'s, _> = Box::pin(results);
        Box::pin(std::future::ready(Ok(results)))
    }

    async fn vote(&mut self, rpc: VoteRequest<Config>, _: RPCOption) -> Result<VoteResponse<Config>, RPCError<Config>> {
        let purpose = if rpc.leadership_transfer { VotePurpose::Transfer } else { VotePurpose::Election };
        self.ask_for_vote(rpc, purpose).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<Config>,
        _: RPCOption,
    ) -> Result<VoteResponse<Config>, RPCError<Config>> {
        self.ask_for_vote(rpc, VotePurpose::Probe).await
    }

    async fn full_snapshot(
        &mut self,
        vote: VoteOf<Config>,
        snapshot: SnapshotOf<Config, SnapshotBytes>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<Config>, StreamingError<Config>> {
        let Some(last) = snapshot.meta.last_log_id.as_ref().map(stored::from_raft) else {
            let nothing: Unreachable<Config> = Unreachable::from_string("the snapshot stands nowhere");
            return Err(nothing.into());
        };
        let crc = crc32c::crc32c(&snapshot.snapshot.0);
        let message = Message::Snapshot { to: self.target, vote: stored::vote_from_raft(&vote), last, crc };
        let call = self.call(Lane::Data, &message, vec![snapshot.snapshot.0], self.node.options.append_deadline);
        let answer = tokio::select! {
            biased;
            closed = cancel => return Err(closed.into()),
            answer = call => answer,
        };
        match answer {
            Ok(Reply::Installed { vote }) => Ok(SnapshotResponse::new(stored::vote_to_raft(vote))),
            Ok(reply) => Err(Unreachable::from_string(format!("the other replica answers {reply:?}")).into()),
            Err(error) => Err(Unreachable::new(&error).into()),
        }
    }

    fn backoff(&self) -> Option<Backoff> {
        let random = Arc::clone(&self.node.env.random);
        let waits = (0u32..).map(move |attempt| {
            let wait = BACKOFF_MIN.saturating_mul(1 << attempt.min(16)).min(BACKOFF_MAX);
            wait + wait.mul_f64((random.u64() >> 40) as f64 / (1u64 << 25) as f64)
        });
        Some(Backoff::new(waits))
    }
}
