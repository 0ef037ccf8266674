use std::sync::Arc;

use catalog_state::{CatalogCommand, CatalogReply, CatalogState, Cluster, ClusterId};
use env::Env;
use journal::{GroupLog, Journal};
use raft_group::RaftGroup;
use tokio::sync::watch;
use types::{GroupId, NodeId, TimestampMs};

use crate::compactor::Compactor;
use crate::controller::{Controller, Hands};
use crate::machine::CatalogMachine;
use crate::plan::{Actual, Hosted};
use crate::proposer::Proposer;
use crate::{Error, Options, ShardHost};

/// The control plane of one node. Clones share it.
#[derive(Clone)]
pub struct ControlPlane {
    inner: Arc<Inner>,
}

struct Inner {
    node: NodeId,
    cluster: Cluster,
    group: RaftGroup,
    proposer: Proposer,
    catalog: watch::Receiver<Arc<CatalogState>>,
    ready: watch::Receiver<bool>,
    /// Set to end the loops; each holds a receiver as long as it runs.
    stop: watch::Sender<bool>,
}

impl ControlPlane {
    /// Opens the catalog's group, or makes it with a new cluster identity if the data directory is empty, and starts the
    /// controllers. When this returns the catalog is as new as it was before the restart; shards open in the background, see
    /// [`Self::wait_ready`].
    ///
    /// # Errors
    /// [`Error::Journal`] when the catalog's data is damaged, [`Error::CatalogLost`] when it is empty beside shards that are not,
    /// and whatever keeps its group from coming up within the deadline.
    pub async fn open(
        env: Env,
        journal: Journal,
        node: NodeId,
        options: Options,
        shards: Arc<dyn ShardHost>,
    ) -> Result<ControlPlane, Error> {
        let stored = stored_groups(&journal);
        let log = journal.group(GroupId::CATALOG)?;
        let compacted = log.snapshot().map_or(0, |snapshot| snapshot.log_id.index);
        let (group, catalog) = open_group(&env, log, node, &options).await?;
        let proposer =
            Proposer { env: env.clone(), group: group.clone(), catalog: catalog.clone(), deadline: options.deadline };
        let cluster = ensure_identity(&proposer, stored.len()).await?;

        let (stop, stopping) = watch::channel(false);
        let (ready_sender, ready) = watch::channel(false);
        let compactor = Compactor {
            group: group.clone(),
            catalog: catalog.clone(),
            stop: stopping.clone(),
            every: options.compact_after.max(1),
            compacted,
        };
        let controller = Controller {
            node,
            hands: Hands { host: shards, journal, proposer: proposer.clone() },
            catalog: catalog.clone(),
            stop: stopping,
            ready: ready_sender,
            actions_at_once: options.actions_at_once,
            retry_interval: options.retry_interval,
            actual: stored,
        };
        env.spawn.task("catalog-compactor", Box::pin(compactor.run()));
        env.spawn.task("shard-controller", Box::pin(controller.run()));
        Ok(ControlPlane { inner: Arc::new(Inner { node, cluster, group, proposer, catalog, ready, stop }) })
    }

    /// This node.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.inner.node
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

    /// Where the replicas of new shards go, for [`CatalogCommand::CreateStream`]: on this node, the only one in this release.
    #[must_use]
    pub fn placement(&self) -> Vec<Vec<NodeId>> {
        vec![vec![self.inner.node]]
    }

    /// Has a command carried out. When it completes, [`Self::catalog`] shows what it did; a refusal is a reply, not an error.
    ///
    /// # Errors
    /// [`Error::Unknown`] after the deadline or a change of leader, when it may yet be carried out; [`Error::NotLeader`] and
    /// [`Error::Stopped`], when it was not.
    pub async fn propose(&self, command: CatalogCommand) -> Result<CatalogReply, Error> {
        self.inner.proposer.propose(&command).await
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

    /// Ends the loops, abandoning what they have in flight, then the catalog's group. Shards are not touched.
    pub async fn close(&self) {
        self.inner.stop.send_replace(true);
        self.inner.stop.closed().await;
        self.inner.group.shutdown().await;
    }
}

fn stored_groups(journal: &Journal) -> Actual {
    let shards = journal.groups().into_iter().filter(|group| *group != GroupId::CATALOG);
    shards.map(|group| (group, Hosted::Stored)).collect()
}

async fn open_group(
    env: &Env,
    log: GroupLog,
    node: NodeId,
    options: &Options,
) -> Result<(RaftGroup, watch::Receiver<Arc<CatalogState>>), Error> {
    let (machine, catalog) = CatalogMachine::new();
    let group = RaftGroup::open(env, log, node, machine).await?;
    group.initialize(&[node]).await?;
    group.wait_leader(options.deadline).await?;
    Ok((group, catalog))
}

/// Gives a new cluster its identity: what of it is random is drawn here, once, so that every replica stores the same.
async fn ensure_identity(proposer: &Proposer, shard_groups: usize) -> Result<Cluster, Error> {
    let known = || proposer.catalog.borrow().cluster().cloned();
    if let Some(cluster) = known() {
        return Ok(cluster);
    }
    // Shards are made only after the first command is durable: to find some without it means that the catalog's data is gone,
    // and the controller would take them for strangers and drop them.
    if shard_groups > 0 {
        return Err(Error::CatalogLost { groups: shard_groups });
    }
    let random = &proposer.env.random;
    let mut iterator_key = [0; 32];
    random.fill(&mut iterator_key);
    let cluster_id = ClusterId(u128::from(random.u64()) << 64 | u128::from(random.u64()));
    let at = TimestampMs(proposer.env.clock.unix_ms());
    let command = CatalogCommand::Initialise { cluster_id, iterator_key, at };
    proposer.propose(&command).await?.into_result().map_err(Error::Initialise)?;
    tracing::info!(%cluster_id, "a new cluster");
    known().ok_or_else(|| Error::Unknown("the first command left no identity".into()))
}
