//! Changing who holds a group's replicas, and saying who does.

use std::collections::BTreeSet;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use openraft::impls::EmptyNode;
use openraft::{ChangeMembers, LogIdOptionExt, RaftMetrics};
use types::{NodeId, ReplicaId};

use crate::RaftGroup;
use crate::config::Config;

/// A new replica may vote once it is no more than so many entries behind: the rest comes within a moment.
const LAG_ENTRIES_MAX: u64 = 64;

/// Who holds the replicas, as this replica knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Those that vote; of two lists both while one replaces the other.
    pub voters: BTreeSet<ReplicaId>,
    /// Those that only follow.
    pub learners: BTreeSet<ReplicaId>,
    /// Whether it is neither being changed nor uncommitted.
    pub settled: bool,
}

/// Why the members could not be changed. What has been done stays done; asking again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Another node leads the group.
    #[error("another node leads the group")]
    NotLeader {
        /// The leader, if known.
        leader: Option<NodeId>,
    },
    /// This replica is to leave, and so has given its leadership away first: the new leader has the rest to do.
    #[error("node {to} leads now and has to finish the change")]
    HandedOver {
        /// The new leader.
        to: NodeId,
    },
    /// A new replica has not caught up in time.
    #[error("replica {replica} is {behind} entries behind")]
    Behind {
        /// The replica.
        replica: ReplicaId,
        /// What it lacks, as far as is known.
        behind: u64,
    },
    /// Another change is under way, or the leader has just changed.
    #[error("not now: {0}")]
    Busy(String),
    /// The change was not committed in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The group has died.
    #[error("the group has stopped: {0}")]
    Stopped(String),
}

type Changed = Result<(), ChangeError>;
type RaftChangeError = RaftError<Config, ClientWriteError<Config>>;

impl RaftGroup {
    /// Who holds the replicas, as this replica knows.
    pub fn membership(&self) -> Membership {
        let metrics = self.member.raft.server_metrics();
        let now = metrics.borrow_watched();
        let members = now.membership_config.membership();
        let replicas = |ids: &mut dyn Iterator<Item = u64>| ids.map(ReplicaId).collect();
        Membership {
            voters: replicas(&mut members.voter_ids()),
            learners: replicas(&mut members.learner_ids()),
            settled: members.get_joint_config().len() == 1 && now.membership_config == now.committed_membership_config,
        }
    }

    /// How many entries each other replica is known to lack; empty unless this replica leads.
    pub fn lags(&self) -> Vec<(ReplicaId, u64)> {
        let metrics = self.member.raft.metrics();
        let now = metrics.borrow_watched();
        let end = now.last_log_index.map_or(0, |last| last + 1);
        let matched = now.replication.iter().flatten();
        let lag = |(id, matched): (&u64, &Option<_>)| (ReplicaId(*id), end.saturating_sub(matched.next_index()));
        matched.map(lag).filter(|(replica, _)| *replica != self.member.replica).collect()
    }

    /// Makes `voters` and `learners` the group's replicas: the new ones first follow until they have caught up, then vote; those that are
    /// in neither leave. Only the leader can. Done when the last step is committed, also if it was so before.
    ///
    /// A leader that is to leave first gives its office to one that stays ([`ChangeError::HandedOver`]): a leader that no longer votes
    /// could not answer for the group.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub async fn change_members(
        &self,
        voters: &BTreeSet<ReplicaId>,
        learners: &BTreeSet<ReplicaId>,
        deadline: Duration,
    ) -> Changed {
        match tokio::time::timeout(deadline, self.change(voters, learners, deadline)).await {
            Ok(changed) => changed,
            Err(_late) => Err(ChangeError::Timeout(deadline)),
        }
    }

    async fn change(
        &self,
        voters: &BTreeSet<ReplicaId>,
        learners: &BTreeSet<ReplicaId>,
        deadline: Duration,
    ) -> Changed {
        self.wake().await;
        let before = self.membership();
        let known = |replica: &ReplicaId| before.voters.contains(replica) || before.learners.contains(replica);
        for new in voters.union(learners).filter(|replica| !known(replica)) {
            let added = self.member.raft.add_learner(new.0, EmptyNode::default(), false).await;
            added.map_err(change_error)?;
        }
        for new in voters.difference(&before.voters) {
            self.wait_caught_up(*new, deadline).await?;
        }
        self.wake().await;
        let own = self.member.replica;
        if !voters.contains(&own) {
            let with_own = voters.iter().copied().chain([own]).collect();
            self.replace_voters(&before, &with_own).await?;
            return self.give_way(voters, deadline).await;
        }
        self.replace_voters(&before, voters).await?;
        let leaving: BTreeSet<u64> =
            self.membership().learners.difference(learners).filter(|id| !voters.contains(id)).map(|id| id.0).collect();
        if !leaving.is_empty() {
            let removed = self.member.raft.change_membership(ChangeMembers::RemoveNodes(leaving), false).await;
            removed.map_err(change_error)?;
        }
        Ok(())
    }

    /// Voters that leave stay as learners until the last step, so that a replica is never cut off in the middle.
    async fn replace_voters(&self, before: &Membership, voters: &BTreeSet<ReplicaId>) -> Changed {
        if before.settled && before.voters == *voters {
            return Ok(());
        }
        let ids: BTreeSet<u64> = voters.iter().map(|replica| replica.0).collect();
        let changed = self.member.raft.change_membership(ChangeMembers::ReplaceAllVoters(ids), true).await;
        changed.map(drop).map_err(change_error)
    }

    /// Gives leadership to the first of `voters` that takes it.
    async fn give_way(&self, voters: &BTreeSet<ReplicaId>, deadline: Duration) -> Changed {
        let mut reason = "nobody who could lead is alive".to_owned();
        let heirs = self.heirs(voters);
        for heir in &heirs {
            match self.transfer(*heir, deadline.div_f64(heirs.len() as f64)).await {
                Ok(()) => return Err(ChangeError::HandedOver { to: *heir }),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(ChangeError::Busy(reason))
    }

    async fn wait_caught_up(&self, replica: ReplicaId, deadline: Duration) -> Changed {
        let behind = |metrics: &RaftMetrics<Config>| {
            let matched = metrics.replication.as_ref()?.get(&replica.0)?;
            Some(metrics.last_log_index.map_or(0, |last| last + 1).saturating_sub(matched.next_index()))
        };
        let caught_up = |metrics: &RaftMetrics<Config>| {
            !metrics.state.is_leader() || behind(metrics).is_some_and(|behind| behind <= LAG_ENTRIES_MAX)
        };
        let waited = self.member.raft.wait(Some(deadline.mul_f64(0.9))).metrics(caught_up, "it has caught up").await;
        match waited {
            Ok(metrics) if metrics.state.is_leader() => Ok(()),
            Ok(metrics) => {
                let leader = metrics.current_leader.map(|id| ReplicaId(id).node());
                Err(ChangeError::NotLeader { leader })
            }
            Err(_) => {
                let metrics = self.member.raft.metrics();
                let behind = behind(&metrics.borrow_watched()).unwrap_or(u64::MAX);
                Err(ChangeError::Behind { replica, behind })
            }
        }
    }
}

fn change_error(error: RaftChangeError) -> ChangeError {
    match error {
        RaftError::Fatal(fatal) => ChangeError::Stopped(fatal.to_string()),
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
            ChangeError::NotLeader { leader: forward.leader_id.map(|id| ReplicaId(id).node()) }
        }
        RaftError::APIError(ClientWriteError::ChangeMembershipError(ChangeMembershipError::InProgress(progress))) => {
            ChangeError::Busy(progress.to_string())
        }
        RaftError::APIError(error) => ChangeError::Busy(error.to_string()),
    }
}
