//! Giving leadership away.
//!
//! openraft's own trigger closes the leader to proposals for good, also when the other replica never campaigns. Here proposals are
//! held back while the other campaigns, those in flight are finished first, and if nothing comes of it the leader goes on.

use std::sync::Arc;
use std::time::Duration;

use openraft::RaftMetrics;
use transport::{Lane, Request};
use types::{NodeId, ReplicaId};

use crate::config::Config;
use crate::messages::{self, Message, Reply};
use crate::{RaftGroup, service};

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
        match tokio::time::timeout(deadline, self.try_transfer(to)).await {
            Ok(done) => done,
            Err(_late) => Err(TransferError::Timeout(deadline)),
        }
    }

    async fn try_transfer(&self, to: NodeId) -> Result<(), TransferError> {
        let target = self.membership().voters.into_iter().find(|voter| voter.node() == to);
        let target = target.ok_or(TransferError::NoVoter(to))?;
        let _closed = self.gate.close().await;
        if !self.member.is_leader() {
            return Err(TransferError::NotLeader);
        }
        if target == self.member.replica {
            return Ok(());
        }
        self.wait_equal(target).await?;
        self.have_campaign(target).await?;
        let member = Arc::clone(&self.member);
        let over = move |_: &RaftMetrics<Config>| !member.is_leader() && member.leader().is_some();
        let waited = self.member.raft.wait(None).metrics(over, "another replica leads").await;
        waited.map(drop).map_err(|error| TransferError::Declined(error.to_string()))
    }

    /// Until the other replica has every entry that this one has: it could not be elected earlier.
    async fn wait_equal(&self, target: ReplicaId) -> Result<(), TransferError> {
        let equal = |metrics: &RaftMetrics<Config>| {
            let matched = metrics.replication.as_ref().and_then(|replication| replication.get(&target.0));
            let matched = matched.and_then(|matched| matched.as_ref().map(|log_id| log_id.index()));
            !metrics.state.is_leader() || matched >= metrics.last_log_index
        };
        let waited = self.member.raft.wait(None).metrics(equal, "the other replica has all entries").await;
        match waited {
            Ok(metrics) if metrics.state.is_leader() => Ok(()),
            Ok(_) => Err(TransferError::NotLeader),
            Err(error) => Err(TransferError::Declined(error.to_string())),
        }
    }

    async fn have_campaign(&self, target: ReplicaId) -> Result<(), TransferError> {
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
