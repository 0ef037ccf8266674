//! Giving leadership away.
//!
//! openraft's own trigger closes the leader to proposals for good, also when the other replica never campaigns. Here proposals are
//! held back while the other campaigns, those in flight are finished first, and if nothing comes of it the leader goes on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use openraft::RaftMetrics;
use transport::{Lane, Request};
use types::{NodeId, ReplicaId};

use crate::config::Config;
use crate::messages::{self, Message, Reply};
use crate::{RaftGroup, service};

/// Entries that the other replica may lack when proposals begin to be held back for it: what it gets in a few round trips.
const LAG_ENTRIES_MAX: u64 = 64;

/// Why leadership stayed where it was.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// This replica does not lead.
    #[error("this replica does not lead the group")]
    NotLeader,
    /// The node has no replica of the group that votes.
    #[error("node {0} has no voting replica of the group")]
    NoVoter(NodeId),
    /// Proposals in flight took too long, or the other did not win in time.
    #[error("not within {0:?}")]
    Timeout(Duration),
    /// No other voter is on a node that lives.
    #[error("no other node with a voting replica of the group is alive")]
    Alone,
    /// The other would not campaign: it lacks entries, or follows another leader.
    #[error("the other replica does not campaign: {0}")]
    Declined(String),
}

impl RaftGroup {
    /// Has the replica on another node lead. Proposals wait meanwhile; those in flight are finished first. On return this replica
    /// follows the new leader.
    ///
    /// # Errors
    /// See [`TransferError`]: this replica goes on leading, unless another has been elected for another reason.
    pub async fn transfer(&self, to: NodeId, deadline: Duration) -> Result<(), TransferError> {
        let done = match tokio::time::timeout(deadline, self.try_transfer(to)).await {
            Ok(done) => done,
            Err(_late) => Err(TransferError::Timeout(deadline)),
        };
        if done.is_err() {
            // It may go on leading, and nobody has confirmed that.
            self.node.urgent.ask();
        }
        done
    }

    /// Has a replica on any other node that lives lead, if this one does: for a node that is about to stop. Those that lack least are
    /// asked first, each for `deadline` at most.
    ///
    /// # Errors
    /// [`TransferError::Alone`], and why the last one did not take over. Then this replica goes on leading.
    pub async fn hand_over(&self, deadline: Duration) -> Result<(), TransferError> {
        let mut failed = TransferError::Alone;
        for heir in self.heirs(&self.membership().voters) {
            if !self.member.is_leader() {
                return Ok(());
            }
            match self.transfer(heir, deadline).await {
                Ok(()) | Err(TransferError::NotLeader) => return Ok(()),
                Err(error) => failed = error,
            }
        }
        if self.member.is_leader() { Err(failed) } else { Ok(()) }
    }

    /// The nodes that could lead in this one's place, of those with one of `replicas`. Those that lack equally much take turns from group
    /// to group.
    pub(crate) fn heirs(&self, replicas: &BTreeSet<ReplicaId>) -> Vec<NodeId> {
        let able = |replica: &ReplicaId| {
            replicas.contains(replica) && *replica != self.replica() && self.node.is_alive(replica.node())
        };
        let mut lags: Vec<(ReplicaId, u64)> = self.lags().into_iter().filter(|(replica, _)| able(replica)).collect();
        let turn = usize::try_from(self.id().0).unwrap_or(0).checked_rem(lags.len()).unwrap_or(0);
        lags.rotate_left(turn);
        lags.sort_by_key(|(_, lag)| *lag);
        lags.into_iter().map(|(replica, _)| replica.node()).collect()
    }

    async fn try_transfer(&self, to: NodeId) -> Result<(), TransferError> {
        let target = self.membership().voters.into_iter().find(|voter| voter.node() == to);
        let target = target.ok_or(TransferError::NoVoter(to))?;
        if target == self.member.replica && self.member.is_leader() {
            return Ok(());
        }
        if !self.node.is_alive(to) {
            return Err(TransferError::Declined("its node is not alive".into()));
        }
        // Proposals go on until the other has nearly caught up, and then are held back for a moment at most.
        self.wait_lag(target, LAG_ENTRIES_MAX).await?;
        let held_max = self.node.options.call_deadline;
        match tokio::time::timeout(held_max, self.transfer_held(target)).await {
            Ok(done) => done,
            Err(_late) => Err(TransferError::Timeout(held_max)),
        }
    }

    async fn transfer_held(&self, target: ReplicaId) -> Result<(), TransferError> {
        let _closed = self.gate.close().await;
        // It could not be elected earlier.
        self.wait_lag(target, 0).await?;
        // A replica takes over only once it has flushed something under this leader. One that was restarted with all entries has not, and
        // nothing may be written for long; a heartbeat is enough for it.
        drop(self.member.raft.trigger().heartbeat().await);
        self.have_campaign(target).await?;
        let member = Arc::clone(&self.member);
        let over = move |_: &RaftMetrics<Config>| !member.is_leader() && member.leader().is_some();
        let waited = self.member.raft.wait(None).metrics(over, "another replica leads").await;
        waited.map(drop).map_err(|error| TransferError::Declined(error.to_string()))
    }

    /// Until the other replica lacks no more than so many entries.
    async fn wait_lag(&self, target: ReplicaId, entries_max: u64) -> Result<(), TransferError> {
        let near = |metrics: &RaftMetrics<Config>| {
            let matched = metrics.replication.as_ref().and_then(|replication| replication.get(&target.0));
            let matched = matched.and_then(|matched| matched.as_ref().map(|log_id| log_id.index() + 1)).unwrap_or(0);
            let end = metrics.last_log_index.map_or(0, |last| last + 1);
            !metrics.state.is_leader() || matched + entries_max >= end
        };
        let waited = self.member.raft.wait(None).metrics(near, "the other replica has the entries").await;
        match waited {
            Ok(metrics) if metrics.state.is_leader() => Ok(()),
            Ok(_) => Err(TransferError::NotLeader),
            Err(error) => Err(TransferError::Declined(error.to_string())),
        }
    }

    async fn have_campaign(&self, target: ReplicaId) -> Result<(), TransferError> {
        // Others will vote for it although they hear this leader.
        self.member.claims.forget();
        let message = Message::Campaign { to: target, vote: self.member.vote(), last: self.member.log.last() };
        let request =
            Request { service: service::RAFT, group: self.id(), head: messages::encode(&message), body: Vec::new() };
        let node = &self.node;
        let answer = node.transport.call(target.node(), Lane::Control, request, node.options.call_deadline).await;
        let answer = answer.map_err(|error| TransferError::Declined(error.to_string()))?;
        match messages::decode(&answer.head) {
            Some(Reply::Campaigning(true)) => Ok(()),
            other => Err(TransferError::Declined(format!("{other:?}"))),
        }
    }
}
