use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::Env;
use journal::{GroupLog, LogId};
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, Fatal, ForwardToLeader, InitializeError, LinearizableReadError, RaftError};
use openraft::metrics::WaitError;
use openraft::{Raft, RaftMetrics, ReadPolicy, SnapshotPolicy};
use tokio::sync::Mutex;
use types::{GroupId, NodeId};

use crate::config::{Config, Proposal, RaftLogId, Runtime};
use crate::log_store::LogStore;
use crate::network::NoPeers;
use crate::state_machine::StateMachine;
use crate::{Error, Machine, ProposeError, stored};

/// Messages that wait in each of openraft's channels; slots take memory only once they are used. An owner keeps one proposal in
/// flight, so that few are: the bound is well above it, since a core and a state machine that each wait for a slot at the other's would
/// wait forever.
const CHANNEL_SLOTS: u64 = 1024;
/// Proposals that openraft takes from its channel at once: room for them is set aside in every group.
const PROPOSALS_AT_ONCE: u64 = 64;
/// The longest a compaction may take before the caller is told that it is stuck.
const COMPACT_DEADLINE: Duration = Duration::from_secs(30);

/// This node's replica of one group. Clones are the same replica.
#[derive(Clone)]
pub struct RaftGroup {
    raft: Raft<Config, StateMachine>,
    log: GroupLog,
    node: u64,
    compacting: Arc<Mutex<()>>,
}

impl RaftGroup {
    /// Opens the replica with what is stored of it, or a new one. A group that knows its members begins an election at once, by which
    /// everything durable is committed and then applied: see [`Self::wait_leader`].
    ///
    /// # Errors
    /// If the stored state cannot be restored, or the log cannot be read.
    pub async fn open(env: &Env, log: GroupLog, node: NodeId, machine: impl Machine) -> Result<Self, Error> {
        finish_purge(&log).await?;
        let machine = StateMachine::restore(log.clone(), Box::new(machine), Arc::clone(&env.spawn))?;
        let store = LogStore { log: log.clone() };
        let config = Arc::new(config(log.id()));
        let opened = Runtime::scope(env.random.u64(), Raft::new(node.0, config, NoPeers, store, machine)).await;
        let raft = opened.map_err(stopped)?;
        let group = Self { raft, log, node: node.0, compacting: Arc::default() };
        if group.raft.is_initialized().await.map_err(stopped)? {
            group.raft.trigger().elect(false).await.map_err(stopped)?;
        }
        Ok(group)
    }

    /// The group.
    pub fn id(&self) -> GroupId {
        self.log.id()
    }

    /// The group's log, for reading.
    pub fn log(&self) -> &GroupLog {
        &self.log
    }

    /// Gives a new group its members. A group that has some already keeps them.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the group has died.
    pub async fn initialize(&self, members: &[NodeId]) -> Result<(), Error> {
        let members: BTreeSet<u64> = members.iter().map(|node| node.0).collect();
        match self.raft.initialize(members).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(error) => Err(Error::Stopped(error.to_string())),
        }
    }

    /// Waits until this node leads and has applied everything that was durable before.
    ///
    /// # Errors
    /// [`Error::Timeout`], or [`Error::Stopped`] if the group has died.
    pub async fn wait_leader(&self, deadline: Duration) -> Result<(), Error> {
        let led = async {
            let elected = self.raft.wait(None).current_leader(self.node, "this node leads").await;
            elected.map_err(|error| self.wait_error(&error))?;
            let applied = self.raft.ensure_linearizable(ReadPolicy::ReadIndex).await;
            applied.map(drop).map_err(|error| match error {
                RaftError::Fatal(fatal) => stopped(fatal),
                RaftError::APIError(error) => Error::Timeout(error.to_string()),
            })
        };
        let late = |_| Error::Timeout(format!("no leader within {deadline:?}"));
        tokio::time::timeout(deadline, led).await.map_err(late)?
    }

    /// Whether this node leads, as far as it knows.
    pub fn is_leader(&self) -> bool {
        self.raft.is_leader()
    }

    /// The leader, as far as this node knows.
    pub async fn leader(&self) -> Option<NodeId> {
        self.raft.current_leader().await.map(NodeId)
    }

    /// Proposes an entry; returns the machine's reply once the entry is durable on a quorum, and applied here.
    ///
    /// # Errors
    /// [`ProposeError::NotLeader`] if nothing was proposed; so answers a group that has died, too, see [`Self::stopped`]. Otherwise
    /// nobody knows whether the entry is or will be committed.
    pub async fn propose(&self, payload: Bytes) -> Result<Bytes, ProposeError> {
        if let Some(refused) = self.refusal() {
            return Err(refused);
        }
        match self.raft.client_write(Proposal(payload)).await {
            Ok(response) => Ok(response.data.0),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => Err(not_leader(forward)),
            // Also where the leader changed after the entry was appended: the next one may still commit it.
            Err(error) => Err(ProposeError::Unknown(error.to_string())),
        }
    }

    /// Why a proposal would be refused now.
    fn refusal(&self) -> Option<ProposeError> {
        let metrics = self.raft.metrics();
        let now = metrics.borrow_watched();
        let leader = now.current_leader.filter(|_| now.running_state.is_ok()).map(NodeId);
        (!now.state.is_leader()).then_some(ProposeError::NotLeader { leader })
    }

    /// Makes sure that this node leads and has applied everything that was committed when this was called.
    ///
    /// # Errors
    /// [`ProposeError::NotLeader`] if another node leads.
    pub async fn ensure_linearizable(&self) -> Result<(), ProposeError> {
        match self.raft.ensure_linearizable(ReadPolicy::ReadIndex).await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => Err(not_leader(forward)),
            Err(error) => Err(ProposeError::Unknown(error.to_string())),
        }
    }

    /// Takes the machine's snapshot and purges the log up to it; does nothing if the machine has nothing to compact. When it
    /// returns, both are durable.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the group has died, [`Error::Timeout`] if it is stuck.
    pub async fn compact(&self) -> Result<(), Error> {
        // One at a time: openraft ignores the wish for a snapshot while it makes one.
        let _alone = self.compacting.lock().await;
        let known = self.raft.with_state_machine(|machine| Box::pin(async move { machine.snapshot_position() })).await;
        let Some(target) = known.map_err(stopped)? else { return Ok(()) };
        while self.log.purged() < Some(target) {
            self.take_snapshot(target).await?;
        }
        Ok(())
    }

    /// Has a snapshot made; returns when the log is purged up to `target`, or an older snapshot is done that was on its way, since
    /// a caller that gave up does not stop it.
    async fn take_snapshot(&self, target: LogId) -> Result<(), Error> {
        let reached = |position: &Option<RaftLogId>| position.as_ref().map(stored::from_raft) >= Some(target);
        let before = self.raft.metrics().borrow_watched().snapshot;
        self.raft.trigger().snapshot().await.map_err(stopped)?;
        let done = |metrics: &RaftMetrics<Config>| {
            reached(&metrics.purged) || (metrics.snapshot > before && !reached(&metrics.snapshot))
        };
        let waited = self.raft.wait(Some(COMPACT_DEADLINE)).metrics(done, "the log is purged").await;
        waited.map(drop).map_err(|error| self.wait_error(&error))
    }

    /// Completes with the reason when the replica has died: it then answers nothing more.
    pub async fn stopped(&self) -> String {
        // Of openraft's channels the one that changes least; it closes when the replica ends.
        let mut server = self.raft.server_metrics();
        while server.changed().await.is_ok() {}
        self.stop_reason().unwrap_or_else(|| "it panicked".into())
    }

    fn stop_reason(&self) -> Option<String> {
        self.raft.metrics().borrow_watched().running_state.as_ref().err().map(ToString::to_string)
    }

    fn wait_error(&self, error: &WaitError) -> Error {
        self.stop_reason().map_or_else(|| Error::Timeout(error.to_string()), Error::Stopped)
    }

    /// Stops the replica. What is durable stays.
    pub async fn shutdown(&self) {
        if let Err(error) = self.raft.shutdown().await {
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

fn not_leader(forward: ForwardToLeader<Config>) -> ProposeError {
    ProposeError::NotLeader { leader: forward.leader_id.map(NodeId) }
}

/// Settings for groups with one voter: nothing to tick for, so an idle group costs no CPU at all.
fn config(group: GroupId) -> openraft::Config {
    openraft::Config {
        cluster_name: group.to_string(),
        enable_tick: false,
        enable_heartbeat: false,
        enable_elect: false,
        enable_pre_vote: Some(true),
        // A restarted leader is elected anew: the election's blank entry commits, and so applies, all that is durable.
        enable_leader_restore: Some(false),
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
