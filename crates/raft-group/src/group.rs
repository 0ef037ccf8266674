use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::Env;
use journal::GroupLog;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, InitializeError, LinearizableReadError, RaftError};
use openraft::{Raft, ReadPolicy, SnapshotPolicy};
use types::{GroupId, NodeId};

use crate::config::{Config, Proposal, Runtime};
use crate::log_store::LogStore;
use crate::network::NoPeers;
use crate::state_machine::StateMachine;
use crate::{Error, Machine, ProposeError};

/// Requests to one group that wait in openraft's channels. An owner keeps one proposal in flight, so few are needed, and each slot
/// costs memory in every group.
const CHANNEL_SLOTS: u64 = 64;
/// The longest a compaction may take before the caller is told that it is stuck.
const COMPACT_DEADLINE: Duration = Duration::from_secs(30);

/// This node's replica of one group. Clones are the same replica.
#[derive(Clone)]
pub struct RaftGroup {
    raft: Raft<Config, StateMachine>,
    log: GroupLog,
    node: u64,
}

impl RaftGroup {
    /// Opens the replica with what is stored of it, or a new one. A group that knows its members begins an election at once, by which
    /// everything durable is committed and then applied: see [`Self::wait_leader`].
    ///
    /// # Errors
    /// If the stored state cannot be restored, or the log cannot be read.
    pub async fn open(env: &Env, log: GroupLog, node: NodeId, machine: impl Machine) -> Result<Self, Error> {
        let machine = StateMachine::restore(log.clone(), Box::new(machine))?;
        let store = LogStore { log: log.clone() };
        let config = Arc::new(config(log.id()));
        let opened = Runtime::scope(env.random.u64(), Raft::new(node.0, config, NoPeers, store, machine)).await;
        let raft = opened.map_err(stopped)?;
        let group = Self { raft, log, node: node.0 };
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
            let waiting = self.raft.wait(None).current_leader(self.node, "this node leads").await;
            waiting.map_err(|error| Error::Stopped(error.to_string()))?;
            self.ensure_linearizable().await.map_err(|error| Error::Timeout(error.to_string()))
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
    /// [`ProposeError::NotLeader`] if nothing was proposed; otherwise nobody knows.
    pub async fn propose(&self, payload: Bytes) -> Result<Bytes, ProposeError> {
        if !self.is_leader() {
            return Err(ProposeError::NotLeader { leader: self.leader().await });
        }
        match self.raft.client_write(Proposal(payload)).await {
            Ok(response) => Ok(response.data.0),
            // Also a change of leader after the entry was appended ends here: it may still be committed by the next one.
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))) => {
                Err(ProposeError::Unknown("the leader changed meanwhile".into()))
            }
            Err(error) => Err(ProposeError::Unknown(error.to_string())),
        }
    }

    /// Makes sure that this node leads and has applied everything that was committed when this was called.
    ///
    /// # Errors
    /// [`ProposeError::NotLeader`] if another node leads.
    pub async fn ensure_linearizable(&self) -> Result<(), ProposeError> {
        match self.raft.ensure_linearizable(ReadPolicy::ReadIndex).await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => {
                Err(ProposeError::NotLeader { leader: forward.leader_id.map(NodeId) })
            }
            Err(error) => Err(ProposeError::Unknown(error.to_string())),
        }
    }

    /// Takes the machine's snapshot and purges the log up to it; does nothing if the machine has nothing to compact.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the group has died, [`Error::Timeout`] if it is stuck.
    pub async fn compact(&self) -> Result<(), Error> {
        let known = self.raft.with_state_machine(|machine| Box::pin(async move { machine.snapshot_position() })).await;
        let Some(target) = known.map_err(stopped)?.filter(|target| self.log.purged() < Some(*target)) else {
            return Ok(());
        };
        self.raft.trigger().snapshot().await.map_err(stopped)?;
        let purged = |metrics: &openraft::RaftMetrics<Config>| {
            metrics.purged.as_ref().map(crate::stored::from_raft) >= Some(target)
        };
        let waited = self.raft.wait(Some(COMPACT_DEADLINE)).metrics(purged, "the log is purged").await;
        waited.map(drop).map_err(|error| Error::Timeout(error.to_string()))
    }

    /// Completes with the reason when the replica has died: it then answers nothing more.
    pub async fn stopped(&self) -> String {
        let mut metrics = self.raft.metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_watched().running_state {
                return fatal.to_string();
            }
            if metrics.changed().await.is_err() {
                return "shut down".into();
            }
        }
    }

    /// Stops the replica. What is durable stays.
    pub async fn shutdown(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(group = %self.id(), %error, "the group did not stop cleanly");
        }
    }
}

fn stopped(error: openraft::errors::Fatal<Config>) -> Error {
    Error::Stopped(error.to_string())
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
        api_batch_capacity: CHANNEL_SLOTS,
        notification_channel_size: Some(CHANNEL_SLOTS),
        state_machine_channel_size: Some(CHANNEL_SLOTS),
        ..openraft::Config::default()
    }
}
