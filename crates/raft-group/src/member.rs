//! A replica that runs on this node, as the node's service and its loops see it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use journal::{GroupLog, Vote};
use openraft::async_runtime::watch::WatchReceiver;
use openraft::metrics::RaftServerMetrics;
use openraft::type_config::alias::WatchReceiverOf;
use openraft::{Raft, RaftMetrics};
use types::planted::{self, Bug};
use types::{GroupId, NodeId, ReplicaId};

use crate::claims::{AppliedTerm, Claims};
use crate::config::Config;
use crate::elections::Standing;
use crate::state_machine::StateMachine;
use crate::stored;

/// No term is in doubt.
const NO_DOUBT: u64 = u64::MAX;
/// No pulse has been made yet.
const NO_PULSE: u64 = u64::MAX;

pub(crate) struct Member {
    pub(crate) group: GroupId,
    pub(crate) replica: ReplicaId,
    pub(crate) raft: Raft<Config, StateMachine>,
    pub(crate) log: GroupLog,
    /// The term of the newest applied entry.
    applied_term: Arc<AppliedTerm>,
    /// Who has confirmed that it leads.
    pub(crate) claims: Claims,
    /// The term whose leader is known not to lead any more.
    doubted_term: AtomicU64,
    /// Votes that are asked of it and not yet answered: it may be about to leave its leader.
    votes_under_way: AtomicU64,
    /// The newest term for which it has given a vote.
    promised_term: AtomicU64,
    /// Up to where entries were applied when the last pulse was made.
    applied_at_pulse: AtomicU64,
    server: WatchReceiverOf<Config, RaftServerMetrics<Config>>,
    /// Says whether the group lives: what is above does not change when it dies.
    metrics: WatchReceiverOf<Config, RaftMetrics<Config>>,
}

/// A vote that is asked of a replica.
pub(crate) struct Voting(Arc<Member>);

impl Voting {
    /// It has been given.
    pub(crate) fn given(&self, term: u64) {
        self.0.promised_term.fetch_max(term, Ordering::AcqRel);
    }
}

impl Drop for Voting {
    fn drop(&mut self) {
        self.0.votes_under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Member {
    pub(crate) fn new(
        group: GroupId,
        replica: ReplicaId,
        raft: Raft<Config, StateMachine>,
        log: GroupLog,
        applied_term: Arc<AppliedTerm>,
    ) -> Self {
        let (server, metrics) = (raft.server_metrics(), raft.metrics());
        let (doubted_term, applied_at_pulse) = (AtomicU64::new(NO_DOUBT), AtomicU64::new(NO_PULSE));
        let (votes_under_way, promised_term) = (AtomicU64::new(0), AtomicU64::new(0));
        let claims = Claims::default();
        Self {
            group,
            replica,
            raft,
            log,
            applied_term,
            claims,
            doubted_term,
            votes_under_way,
            promised_term,
            applied_at_pulse,
            server,
            metrics,
        }
    }

    /// The newest vote given.
    pub(crate) fn vote(&self) -> Vote {
        stored::vote_from_raft(&self.server.borrow_watched().vote)
    }

    /// Whether the group has not died.
    fn lives(&self) -> bool {
        self.metrics.borrow_watched().running_state.is_ok()
    }

    /// Whether it has been elected and not been deposed, as far as it knows.
    pub(crate) fn is_leader(&self) -> bool {
        self.server.borrow_watched().state.is_leader() && self.lives()
    }

    /// Whether it leads and has applied all that was committed before it did: earlier it would deny records that exist.
    pub(crate) fn is_ready_leader(&self) -> bool {
        let lives = self.lives();
        let server = self.server.borrow_watched();
        let caught_up = self.applied_term.get() == server.vote.leader_id().term;
        lives && server.state.is_leader() && (caught_up || planted::active(Bug::LeaderServesEarly))
    }

    /// The node of the leader that it follows, its own if it leads.
    pub(crate) fn leader(&self) -> Option<NodeId> {
        let lives = self.lives();
        let server = self.server.borrow_watched();
        let leader = server.current_leader.filter(|_| lives).map(ReplicaId)?;
        // After a restart its vote still names it as the leader it was.
        (leader != self.replica || server.state.is_leader()).then_some(leader.node())
    }

    /// The leader of this term is known to have lost its office, its process or its data.
    pub(crate) fn doubt(&self, term: u64) {
        self.doubted_term.store(term, Ordering::Relaxed);
    }

    /// The leader of this term has said itself that it leads.
    pub(crate) fn trust(&self, term: u64) {
        // Another term's doubt stays.
        let _ = self.doubted_term.compare_exchange(term, NO_DOUBT, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// From here until the answer is dropped it stands by no leader: the vote is on its way, and may be given.
    pub(crate) fn voting(self: &Arc<Self>) -> Voting {
        self.votes_under_way.fetch_add(1, Ordering::AcqRel);
        Voting(Arc::clone(self))
    }

    /// Whether it votes for nobody else while it hears the leader of this term.
    pub(crate) fn stands_by(&self, leader: NodeId, term: u64) -> bool {
        let free = self.votes_under_way.load(Ordering::Acquire) == 0;
        free && term >= self.promised_term.load(Ordering::Acquire)
            && self.vote().term == term
            && self.leader() == Some(leader)
    }

    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted_term.load(Ordering::Relaxed) == self.vote().term
    }

    /// Whether it holds entries and has heard of none, since the last pulse, that it is committed. A leader says so once, with or after the
    /// entries: a replica that was restarted since, or has missed that message, would wait until the next entry comes.
    pub(crate) fn is_kept_waiting(&self) -> bool {
        let applied = self.metrics.borrow_watched().last_applied.map_or(0, |applied| applied.index);
        let unchanged = self.applied_at_pulse.swap(applied, Ordering::Relaxed) == applied;
        unchanged && self.log.last().is_some_and(|last| last.index > applied)
    }

    pub(crate) fn standing(&self) -> Standing {
        let (eligible, leads) = {
            let server = self.server.borrow_watched();
            let is_voter = server.membership_config.membership().voter_ids().any(|voter| voter == self.replica.0);
            (is_voter, server.state.is_leader())
        };
        Standing { eligible, leads, leader: self.leader(), doubted: self.is_doubted() }
    }

    /// Whether those that `counts` are a majority in each of the member lists that are in force: one, or two while it changes.
    pub(crate) fn is_quorum(&self, counts: impl Fn(ReplicaId) -> bool) -> bool {
        let server = self.server.borrow_watched();
        let majority =
            |config: &BTreeSet<u64>| config.iter().filter(|id| counts(ReplicaId(**id))).count() * 2 > config.len();
        server.membership_config.membership().get_joint_config().iter().all(majority)
    }

    /// Whether a voter of the group is on a node.
    pub(crate) fn has_voter_on(&self, node: NodeId) -> bool {
        let server = self.server.borrow_watched();
        server.membership_config.membership().voter_ids().any(|voter| ReplicaId(voter).node() == node)
    }

    /// The replicas on a node, of all that are in the member list.
    pub(crate) fn replicas_on(&self, node: NodeId) -> Vec<u64> {
        let server = self.server.borrow_watched();
        let nodes = server.membership_config.membership().nodes();
        nodes.map(|(id, _)| *id).filter(|id| ReplicaId(*id).node() == node).collect()
    }

    /// Whether it is the only voter.
    pub(crate) fn is_sole_voter(&self) -> bool {
        let server = self.server.borrow_watched();
        server.membership_config.membership().voter_ids().eq([self.replica.0])
    }
}
