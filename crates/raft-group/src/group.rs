use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use journal::{GroupLog, LogId};
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, Fatal, ForwardReason, ForwardToLeader, InitializeError, RaftError};
use openraft::metrics::WaitError;
use openraft::{Raft, RaftMetrics, ReadPolicy, SnapshotPolicy, StepDownPolicy};
use tokio::sync::Mutex;
use types::planted::{self, Bug};
use types::{GroupId, NodeId, ReplicaId};

use crate::claims::AppliedTerm;
use crate::config::{Config, Proposal, RaftLogId, Runtime};
use crate::gate::Gate;
use crate::log_store::LogStore;
use crate::member::Member;
use crate::network::Network;
use crate::node::Inner;
use crate::state_machine::StateMachine;
use crate::{Error, Machine, ProposeError, stored};

/// Messages that wait in each of openraft's channels; slots take memory only once they are used. An owner keeps one proposal in
/// flight, so that few are: the bound is well above it, since a core and a state machine that each wait for a slot at the other's would
/// wait forever.
const CHANNEL_SLOTS: u64 = 1024;
/// Proposals that openraft takes from its channel at once: room for them is set aside in every group.
const PROPOSALS_AT_ONCE: u64 = 64;
/// The longest the first member list may take from the disk to the metrics.
const FORM_DEADLINE: Duration = Duration::from_secs(30);
/// The longest a compaction may take before the caller is told that it is stuck.
const COMPACT_DEADLINE: Duration = Duration::from_secs(30);

/// This node's replica of one group. Clones are the same replica.
#[derive(Clone)]
pub struct RaftGroup {
    pub(crate) node: Arc<Inner>,
    pub(crate) member: Arc<Member>,
    /// Closed while leadership moves.
    pub(crate) gate: Arc<Gate>,
    compacting: Arc<Mutex<()>>,
}

/// Whether a replica may answer for its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// It leads, has applied all that was committed before, and a quorum votes for nobody else for now.
    Leads,
    /// Another node leads, as far as is known; `None` while nobody is known to.
    Elsewhere(Option<NodeId>),
}

impl RaftGroup {
    pub(crate) async fn open(
        node: &Arc<Inner>,
        id: GroupId,
        log: GroupLog,
        replica: ReplicaId,
        machine: impl Machine,
    ) -> Result<Self, Error> {
        finish_purge(&log).await?;
        let env = &node.env;
        let applied_term = AppliedTerm::new(&node.urgent);
        let machine =
            StateMachine::restore(log.clone(), Box::new(machine), Arc::clone(&env.spawn), Arc::clone(&applied_term))?;
        let store = LogStore { log: log.clone() };
        let config = Arc::new(config(id));
        let network = Network { node: Arc::clone(node), group: id };
        let opened = Runtime::scope(env.random.u64(), Raft::new(replica.0, config, network, store, machine)).await;
        let raft = opened.map_err(stopped)?;
        let member = Arc::new(Member::new(id, replica, raft, log, applied_term));
        let group = Self { node: Arc::clone(node), member, gate: Arc::default(), compacting: Arc::default() };
        let raft = &group.member.raft;
        if raft.is_initialized().await.map_err(stopped)? && group.member.is_sole_voter() {
            // By its election everything durable is committed and then applied.
            raft.trigger().elect(false).await.map_err(stopped)?;
        }
        node.add(&group.member);
        Ok(group)
    }

    /// The group.
    pub fn id(&self) -> GroupId {
        self.member.group
    }

    /// The group's log, for reading.
    pub fn log(&self) -> &GroupLog {
        &self.member.log
    }

    /// This node's replica.
    pub fn replica(&self) -> ReplicaId {
        self.member.replica
    }

    /// Gives a new group its voters, of which this replica is one, and has it campaign. A group that has some already keeps them.
    ///
    /// Every replica may do this with the same voters, and only while no others can have been agreed upon. One is enough: it tells the
    /// others, which see to it by [`Self::wait_formed`].
    ///
    /// # Errors
    /// [`Error::Stopped`] if the group has died.
    pub async fn initialize(&self, voters: &[ReplicaId]) -> Result<(), Error> {
        let ids: BTreeSet<u64> = voters.iter().map(|replica| replica.0).collect();
        match self.member.raft.initialize(ids).await {
            Ok(()) => {}
            Err(RaftError::APIError(InitializeError::NotAllowed(_))) => return Ok(()),
            Err(error) => return Err(Error::Stopped(error.to_string())),
        }
        // The answer comes before the members are there to be seen.
        self.wait_formed(FORM_DEADLINE).await
    }

    /// Waits until the replica knows the members of its group, by its own log or from the leader.
    ///
    /// # Errors
    /// [`Error::Timeout`], or [`Error::Stopped`] if the group has died.
    pub async fn wait_formed(&self, deadline: Duration) -> Result<(), Error> {
        let formed =
            |metrics: &RaftMetrics<Config>| metrics.membership_config.membership().voter_ids().next().is_some();
        let waited = self.member.raft.wait(Some(deadline)).metrics(formed, "the members are known").await;
        waited.map(drop).map_err(|error| self.wait_error(&error))
    }

    /// Whether this replica is the group's only voter.
    pub fn is_sole_voter(&self) -> bool {
        self.member.is_sole_voter()
    }

    /// Waits until a node leads; if it is this one, until it has applied everything that was durable before.
    ///
    /// # Errors
    /// [`Error::Timeout`], or [`Error::Stopped`] if the group has died.
    pub async fn wait_leader(&self, deadline: Duration) -> Result<(), Error> {
        let member = Arc::clone(&self.member);
        let led = move |_: &RaftMetrics<Config>| match member.leader() {
            Some(leader) if leader == member.replica.node() => member.is_ready_leader(),
            leader => leader.is_some(),
        };
        if let Some(reason) = self.stop_reason() {
            return Err(Error::Stopped(reason));
        }
        let waited = self.member.raft.wait(Some(deadline)).metrics(led, "a node leads").await;
        waited.map(drop).map_err(|error| self.wait_error(&error))
    }

    /// Whether this replica may answer for the group: for writes and for reads.
    pub fn leadership(&self) -> Leadership {
        let bound = self.node.is_bound_quorum(&self.member) || planted::active(Bug::DeposedLeaderServes);
        if self.member.is_ready_leader() && bound {
            return Leadership::Leads;
        }
        // A leader that is not ready yet, or cut off from the others, knows of nobody else.
        Leadership::Elsewhere(self.member.leader().filter(|leader| *leader != self.node.node))
    }

    /// Proposes an entry; returns the machine's reply once the entry is durable on a quorum, and applied here.
    ///
    /// # Errors
    /// [`ProposeError::NotLeader`] if nothing was proposed; so answers a group that has died, too, see [`Self::stopped`]. Otherwise
    /// nobody knows whether the entry is or will be committed.
    pub async fn propose(&self, payload: Bytes) -> Result<Bytes, ProposeError> {
        let _inside = self.gate.pass().await;
        if let Some(refused) = self.refusal() {
            return Err(refused);
        }
        let mut written = self.member.raft.client_write(Proposal(payload.clone())).await;
        if is_lease_over(&written) && self.wake().await {
            written = self.member.raft.client_write(Proposal(payload)).await;
        }
        match written {
            Ok(response) => Ok(response.data.0),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => Err(not_leader(forward)),
            // Also where the leader changed after the entry was appended: the next one may still commit it.
            Err(error) => Err(ProposeError::Unknown(error.to_string())),
        }
    }

    /// openraft takes no proposals from a leader that no quorum has answered for a while, and an idle one sends nothing that could be
    /// answered: has it ask now. False if it gets no answer.
    pub(crate) async fn wake(&self) -> bool {
        let asked = self.member.raft.ensure_linearizable(ReadPolicy::ReadIndex);
        matches!(tokio::time::timeout(self.node.options.call_deadline, asked).await, Ok(Ok(_)))
    }

    /// Why a proposal would be refused now.
    fn refusal(&self) -> Option<ProposeError> {
        let leader = self.member.leader();
        (!self.member.is_leader()).then_some(ProposeError::NotLeader { leader })
    }

    /// Takes the machine's snapshot and purges the log up to it; does nothing if the machine has nothing to compact. When it
    /// returns, both are durable.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the group has died, [`Error::Timeout`] if it is stuck.
    pub async fn compact(&self) -> Result<(), Error> {
        // One at a time: openraft ignores the wish for a snapshot while it makes one.
        let _alone = self.compacting.lock().await;
        let known =
            self.member.raft.with_state_machine(|machine| Box::pin(async move { machine.snapshot_position() })).await;
        let Some(target) = known.map_err(stopped)? else { return Ok(()) };
        while self.member.log.purged() < Some(target) {
            self.take_snapshot(target).await?;
        }
        Ok(())
    }

    /// Has a snapshot made; returns when the log is purged up to `target`, or an older snapshot is done that was on its way, since
    /// a caller that gave up does not stop it.
    async fn take_snapshot(&self, target: LogId) -> Result<(), Error> {
        let reached = |position: &Option<RaftLogId>| position.as_ref().map(stored::from_raft) >= Some(target);
        let before = self.member.raft.metrics().borrow_watched().snapshot;
        self.member.raft.trigger().snapshot().await.map_err(stopped)?;
        let done = |metrics: &RaftMetrics<Config>| {
            reached(&metrics.purged) || (metrics.snapshot > before && !reached(&metrics.snapshot))
        };
        let waited = self.member.raft.wait(Some(COMPACT_DEADLINE)).metrics(done, "the log is purged").await;
        waited.map(drop).map_err(|error| self.wait_error(&error))
    }

    /// Completes with the reason when the replica has died: it then answers nothing more.
    pub async fn stopped(&self) -> String {
        // Of openraft's channels the one that changes least; it closes when the replica ends.
        let mut server = self.member.raft.server_metrics();
        while server.changed().await.is_ok() {}
        self.stop_reason().unwrap_or_else(|| "it panicked".into())
    }

    fn stop_reason(&self) -> Option<String> {
        self.member.raft.metrics().borrow_watched().running_state.as_ref().err().map(ToString::to_string)
    }

    fn wait_error(&self, error: &WaitError) -> Error {
        self.stop_reason().map_or_else(|| Error::Timeout(error.to_string()), Error::Stopped)
    }

    /// Stops the replica. What is durable stays.
    pub async fn shutdown(&self) {
        self.node.remove(&self.member);
        if let Err(error) = self.member.raft.shutdown().await {
            tracing::warn!(group = %self.id(), %error, "the group did not stop cleanly");
        }
    }
}

/// A crash may have come between a snapshot and the purge that follows it. The state begins behind the snapshot, so must the log.
async fn finish_purge(log: &GroupLog) -> Result<(), Error> {
    match log.snapshot().map(|snapshot| snapshot.log_id) {
        // One beyond the log's end came from another replica: openraft then clears what is before it.
        Some(begin) if log.purged() < Some(begin) && Some(begin) <= log.last() => Ok(log.purge(begin).await?),
        _ => Ok(()),
    }
}

fn stopped(error: Fatal<Config>) -> Error {
    Error::Stopped(error.to_string())
}

fn is_lease_over<T>(written: &Result<T, RaftError<Config, ClientWriteError<Config>>>) -> bool {
    match written {
        Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
            forward.reason == ForwardReason::LeaseExpired
        }
        _ => false,
    }
}

fn not_leader(forward: ForwardToLeader<Config>) -> ProposeError {
    ProposeError::NotLeader { leader: forward.leader_id.map(|id| ReplicaId(id).node()) }
}

/// Nothing ticks: an idle group costs no CPU at all. Heartbeats and elections are the node's, see [`crate::node`]; what is said here of
/// times bounds how long a follower is loyal to the leader that last sent it an entry, and must be below `Options::dead_after`.
fn config(group: GroupId) -> openraft::Config {
    openraft::Config {
        cluster_name: group.to_string(),
        enable_tick: false,
        enable_heartbeat: false,
        heartbeat_interval: 100,
        election_timeout_min: 300,
        election_timeout_max: 600,
        enable_elect: false,
        enable_pre_vote: Some(true),
        // A restarted leader is elected anew: the election's blank entry commits, and so applies, all that is durable.
        enable_leader_restore: Some(false),
        // A leader never leaves the voters, see [`RaftGroup::change_members`].
        removed_leader_step_down: StepDownPolicy::Never,
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: 0,
        purge_batch_size: 1,
        api_channel_size: Some(CHANNEL_SLOTS),
        api_batch_capacity: PROPOSALS_AT_ONCE,
        notification_channel_size: Some(CHANNEL_SLOTS),
        state_machine_channel_size: Some(CHANNEL_SLOTS),
        ..openraft::Config::default()
    }
}
