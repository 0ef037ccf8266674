use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use catalog_state::{CatalogCommand, CatalogReply, CatalogState, Cluster, NodeState};
use env::Env;
use journal::Journal;
use raft_group::{RaftGroup, RaftNode, TransferError};
use tokio::sync::{Notify, watch};
use types::{GroupId, NodeId, ReplicaId};

use crate::calls::CATALOG;
use crate::compactor::Compactor;
use crate::controller::{Controller, Hands};
use crate::entry::Entry;
use crate::fresh::Fresh;
use crate::generation::{Generation, Stage};
use crate::governor::Governor;
use crate::machine::CatalogMachine;
use crate::movers::Movers;
use crate::peers::{self, Peers};
use crate::placement::{self, PlacementError};
use crate::plan::{Actual, Hosted};
use crate::proposer::Proposer;
use crate::service::CatalogService;
use crate::status::check_node_state;
use crate::survey::Survey;
use crate::{ClusterStatus, Error, Local, NodeStateError, Options, ShardHost};

/// The control plane of one node. Clones share it.
#[derive(Clone)]
pub struct ControlPlane {
    inner: Arc<Inner>,
}

/// Pause before a leader of the catalog is looked for again while a request waits.
const CATCH_UP_PAUSE: Duration = Duration::from_millis(50);

struct Inner {
    local: Local,
    cluster: Cluster,
    raft: RaftNode,
    replication: u8,
    group: RaftGroup,
    proposer: Proposer,
    catalog: watch::Receiver<Arc<CatalogState>>,
    ready: watch::Receiver<bool>,
    fresh: watch::Receiver<bool>,
    survey: Survey,
    /// Set to end the loops; each holds a receiver as long as it runs.
    stop: watch::Sender<bool>,
}

/// What a control plane stands on.
pub struct Ground {
    /// The world.
    pub env: Env,
    /// This node's storage.
    pub journal: Journal,
    /// This node's groups, and the way to other nodes.
    pub raft: RaftNode,
    /// Who hosts shards on this node.
    pub host: Arc<dyn ShardHost>,
}

impl ControlPlane {
    /// Opens the catalog's group; with an empty data directory it first founds a cluster or joins one, as `local` says, and then waits
    /// as long as it takes to be let in. Then starts the controllers. When this returns the catalog may be as old as its last snapshot
    /// unless this is its only member, see [`Self::settle`]; shards open in the background, see [`Self::wait_ready`].
    ///
    /// # Errors
    /// [`Error::Journal`] when the catalog's data is damaged, [`Error::CatalogLost`] when it is empty beside shards that are not,
    /// [`Error::Join`] and [`Error::OtherNode`] when this node can't be a member, and whatever keeps a catalog that has no other
    /// members from coming up within the deadline.
    pub async fn open(ground: Ground, local: Local, options: Options) -> Result<ControlPlane, Error> {
        let Ground { env, journal, raft, host } = ground;
        let transport = raft.transport().clone();
        let stored = stored_replicas(&journal, local.node);
        let generation = Generation::load(&env.disk).await.map_err(Error::Directory)?;
        if generation.stage == Stage::Superseded {
            return Err(Error::Superseded);
        }
        let replica = ReplicaId::new(local.node, generation.number);
        let file = replica.file_of(GroupId::CATALOG);
        let log = journal.group(file)?;
        let is_new = log.last().is_none();
        let remembered = peers::remembered(&env.disk).await;
        let others: Vec<String> =
            remembered.iter().filter(|(node, _)| **node != local.node).map(|(_, address)| address.clone()).collect();
        let other_catalogs = journal.groups().into_iter().any(|known| ReplicaId::is_of_catalog(known) && known != file);
        let was_member = match generation.number {
            0 => !others.is_empty() || other_catalogs,
            _ => generation.stage == Stage::Entered,
        };
        if is_new && (was_member || !stored.is_empty()) {
            // The controller would take the groups for strangers and drop them; and a founder would found a second cluster.
            return Err(Error::CatalogLost { groups: stored.len() });
        }
        let compacted = log.snapshot().map_or(0, |snapshot| snapshot.log_id.index);
        let (machine, catalog) = CatalogMachine::new();
        let group = match raft.open(GroupId::CATALOG, log, replica, machine).await {
            Ok(group) => group,
            // A group that dies of what it reads says so in words only, but the journal remembers what it found.
            Err(error) => return Err(journal.group(file).err().map_or(Error::Group(error), Error::Journal)),
        };
        let proposer = Proposer {
            env: env.clone(),
            group: group.clone(),
            transport: transport.clone(),
            catalog: catalog.clone(),
            deadline: options.deadline,
        };
        let service = CatalogService {
            proposer: proposer.clone(),
            host: Arc::clone(&host),
            journal: journal.clone(),
            raft: raft.clone(),
        };
        transport.serve(CATALOG, Arc::new(service.clone()));
        let (stop, stopping) = watch::channel(false);
        let peers = Peers { env: env.clone(), raft: raft.clone(), catalog: catalog.clone(), stop: stopping.clone() };
        raft.set_peers(&remembered);
        env.spawn.task("peers", Box::pin(peers.run(remembered)));
        let newest = stored.keys().map(|(group, _)| *group).max();
        let entering = local.after_loss(generation.number, others);
        let entry = Entry { proposer: &proposer, local: &entering, is_new, newest };
        let cluster = match entry.enter().await {
            Ok(cluster) => cluster,
            Err(error) => {
                stop.send_replace(true);
                group.shutdown().await;
                return Err(error);
            }
        };
        if generation.stage == Stage::Empty {
            let entered = Generation { stage: Stage::Entered, ..generation };
            if let Err(error) = entered.store(&env.disk).await {
                stop.send_replace(true);
                group.shutdown().await;
                return Err(Error::Directory(error));
            }
        }

        let (ready_sender, ready) = watch::channel(false);
        let (fresh_sender, fresh) = watch::channel(false);
        let progress = Arc::new(Notify::new());
        let compactor = Compactor {
            group: group.clone(),
            catalog: catalog.clone(),
            stop: stopping.clone(),
            every: options.compact_after.max(1),
            compacted,
        };
        let controller = Controller {
            node: local.node,
            hands: Hands { host: Arc::clone(&host), journal, env: env.clone() },
            catalog: catalog.clone(),
            stop: stopping.clone(),
            fresh: fresh.clone(),
            ready: ready_sender,
            progress: Arc::clone(&progress),
            actions_at_once: options.actions_at_once,
            retry_interval: options.retry_interval,
            actual: stored,
        };
        let replication = options.replication;
        let movers = Movers {
            proposer: proposer.clone(),
            host,
            raft: raft.clone(),
            options: options.clone(),
            fresh: fresh.clone(),
            stop: stopping.clone(),
        };
        let survey = Survey { service: service.clone(), options: options.clone() };
        let governor = Governor { service, raft: raft.clone(), options, progress, stop: stopping.clone() };
        let freshness = Fresh { proposer: proposer.clone(), fresh: fresh_sender, stop: stopping.clone() };
        env.spawn.task("catalog-freshness", Box::pin(freshness.run()));
        env.spawn.task("catalog-compactor", Box::pin(compactor.run()));
        env.spawn.task("shard-controller", Box::pin(controller.run()));
        env.spawn.task("movers", Box::pin(movers.run()));
        env.spawn.task("governor", Box::pin(governor.run()));
        let inner = Inner { local, cluster, raft, replication, group, proposer, catalog, ready, fresh, survey, stop };
        Ok(ControlPlane { inner: Arc::new(inner) })
    }

    /// This node.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.inner.local.node
    }

    /// The cluster's identity, which never changes.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.inner.cluster
    }

    /// The newest state on this node. Hold it shortly: a new one is cheap to make only when nobody holds the one before the last.
    #[must_use]
    pub fn catalog(&self) -> Arc<CatalogState> {
        Arc::clone(&self.inner.catalog.borrow())
    }

    /// To wait for changes of the catalog.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<CatalogState>> {
        self.inner.catalog.clone()
    }

    /// How many replicas each shard of a new stream has, for [`CatalogCommand::CreateStream`].
    #[must_use]
    pub fn replication(&self) -> u8 {
        self.inner.replication
    }

    /// Where the replicas of new shards go, for [`CatalogCommand::CreateStream`].
    ///
    /// # Errors
    /// When no node may take replicas now. Fewer than [`Self::replication`] are placed where there are fewer nodes.
    pub fn placement(&self, shards: u32) -> Result<Vec<Vec<NodeId>>, PlacementError> {
        let catalog = self.catalog();
        let alive: BTreeSet<NodeId> =
            catalog.nodes().keys().copied().filter(|node| self.inner.raft.is_alive(*node)).collect();
        let usable = |id: &&NodeId| catalog.nodes().get(*id).is_some_and(|node| node.state == NodeState::Active);
        let usable = u8::try_from(alive.iter().filter(usable).count()).unwrap_or(u8::MAX);
        // Where fewer are there now, the rest is made when nodes come: a stream is not refused for want of copies.
        placement::place(&catalog, &alive, self.inner.replication.min(usable).max(1), shards)
    }

    /// How the catalog's group stands here.
    #[must_use]
    pub fn catalog_group(&self) -> &RaftGroup {
        &self.inner.group
    }

    /// Has a command carried out, by whichever node leads the catalog. When it completes, [`Self::catalog`] shows what it did; a refusal
    /// is a reply, not an error.
    ///
    /// # Errors
    /// [`Error::Unknown`] after the deadline or a change of leader, when it may yet be carried out; [`Error::NotLeader`] and
    /// [`Error::Stopped`], when it was not.
    pub async fn propose(&self, command: CatalogCommand) -> Result<CatalogReply, Error> {
        self.inner.proposer.propose(&command).await
    }

    /// Brings [`Self::catalog`] up to everything that was committed anywhere when this was called: what it lacks then is not there. Returns
    /// up to where it is applied.
    ///
    /// # Errors
    /// [`Error::NotLeader`] if nobody leads the catalog until the deadline, or its leader cannot be reached.
    pub async fn catch_up(&self) -> Result<u64, Error> {
        let proposer = &self.inner.proposer;
        tokio::select! {
            biased;
            caught_up = proposer.catch_up(CATCH_UP_PAUSE) => caught_up,
            () = proposer.env.clock.sleep(proposer.deadline) => Err(Error::NotLeader { leader: None }),
        }
    }

    /// Completes when [`Self::catalog`] has once had everything that was committed before this node started. Until then it may be as old as the
    /// last snapshot: a replica learns from a leader what has been committed.
    ///
    /// # Errors
    /// As [`Self::catch_up`].
    pub async fn settle(&self) -> Result<(), Error> {
        if *self.inner.fresh.borrow() { Ok(()) } else { self.catch_up().await.map(drop) }
    }

    /// How the cluster stands, by the word of all nodes that answer within two seconds.
    pub async fn status(&self) -> ClusterStatus {
        let facts = self.inner.survey.facts().await;
        ClusterStatus::take(self.inner.raft.transport().identity().cluster(), &facts)
    }

    /// Has a node be drained, leave, or be active again, as an operator wishes. Done when the catalog says so; what follows from it takes
    /// longer, see [`Self::status`]. A node that has left already may be told to leave again.
    ///
    /// # Errors
    /// [`NodeStateError`]. Harm is refused unless the operator insists.
    pub async fn set_node_state(&self, id: NodeId, state: NodeState, insists: bool) -> Result<(), NodeStateError> {
        let facts = self.inner.survey.facts().await;
        if state == NodeState::Leaving && facts.catalog.is_removed(id) {
            return Ok(());
        }
        if !facts.catalog.nodes().contains_key(&id) {
            let removed = facts.catalog.is_removed(id);
            return Err(if removed { NodeStateError::Removed(id) } else { NodeStateError::Unknown(id) });
        }
        if !insists {
            check_node_state(&facts, id, state).map_err(NodeStateError::Harmful)?;
        }
        let reply = self.propose(CatalogCommand::SetNodeState { id, state }).await?;
        reply.into_result().map(drop).map_err(NodeStateError::Refused)
    }

    /// Completes when every shard that the catalog knew at the start runs here, or has failed to (which is logged; those shards
    /// answer errors, and are tried again unless they are damaged), or when the plane is closed.
    pub async fn wait_ready(&self) {
        // An error means that the controller has ended, which it does only when closed.
        let _ = self.inner.ready.clone().wait_for(|ready| *ready).await;
    }

    /// Completes, with the reason, when the catalog's group has died: this node needs a restart.
    pub async fn stopped(&self) -> String {
        self.inner.group.stopped().await
    }

    /// Has another node lead the catalog, if this one does, before it stops.
    ///
    /// # Errors
    /// See [`TransferError`]: then this node goes on leading it.
    pub async fn hand_over(&self, deadline: Duration) -> Result<(), TransferError> {
        self.inner.group.hand_over(deadline).await
    }

    /// Ends the loops, abandoning what they have in flight, then the catalog's group. Shards are not touched.
    pub async fn close(&self) {
        self.inner.stop.send_replace(true);
        self.inner.stop.closed().await;
        self.inner.group.shutdown().await;
    }
}

fn stored_replicas(journal: &Journal, node: NodeId) -> Actual {
    let all = journal.groups().into_iter().map(|file| ReplicaId::of_file(node, file));
    all.filter(|(group, _)| *group != GroupId::CATALOG).map(|place| (place, Hosted::Stored)).collect()
}
