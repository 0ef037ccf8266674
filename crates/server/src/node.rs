//! What lies below the listeners: journal, planes, router. One value, opened from the ground up and closed from the top down.

use std::sync::Arc;
use std::time::Duration;

use control_plane::{ControlPlane, Ground, Local, Origin};
use data_plane::{DataPlane, ShardLimits};
use env::Env;
use journal::Journal;
use raft_group::RaftNode;
use router::{AccountLimits, DataPlaneHost, Router};
use telemetry::Telemetry;
use transport::{Identity, Tls, TlsFiles, Transport};
use types::NodeId;

use crate::config::PeerTls;
use crate::{Config, LimitsMode, StartError, identity};

/// What a command adds to the batches in it.
const ENTRY_OVERHEAD_BYTES: u64 = 4 << 10;
/// How long a node that stops has others take over what it leads: one group, and all of them.
const HAND_OVER_EACH_MAX: Duration = Duration::from_secs(1);
const HAND_OVER_MAX: Duration = Duration::from_secs(10);

pub(crate) struct Node {
    journal: Journal,
    network: Network,
    data: DataPlane,
    pub(crate) control: ControlPlane,
    pub(crate) router: Router,
}

impl Node {
    /// Opens everything that is stored, and completes when every shard serves or has said why it can't. A node that has lost what makes it a
    /// member starts over first, if the cluster agrees.
    pub(crate) async fn open(env: &Env, config: &Config, telemetry: &Telemetry) -> Result<Node, StartError> {
        control_plane::finish_start_over(env).await?;
        // Boxed: what happens once and for long need not make every future that holds it larger.
        let lost = match Box::pin(Node::open_stored(env, config, telemetry)).await {
            Err(error) if error.is_loss() => error,
            opened => return opened,
        };
        tracing::error!(%lost, "this node has lost what makes it a member: it asks the others to be given everything again");
        match Box::pin(start_over(env, config, telemetry)).await? {
            Ok(()) => Box::pin(Node::open_stored(env, config, telemetry)).await,
            Err(control_plane::Error::Alone) => Err(lost),
            Err(reason) => Err(StartError::Lost { lost: Box::new(lost), reason }),
        }
    }

    async fn open_stored(env: &Env, config: &Config, telemetry: &Telemetry) -> Result<Node, StartError> {
        let (journal, report) = Journal::open(env.clone(), journal_options(config), telemetry.clone()).await?;
        tracing::info!(
            blocks = report.blocks,
            frames = report.frames,
            torn_tail = report.torn_tail,
            "journal recovered"
        );
        for damage in &report.damage {
            tracing::error!(%damage, "damaged: the groups concerned do not serve, `thalweg inspect` lists them");
        }
        let below = Below { env: env.clone(), journal };
        match below.open(config, telemetry).await {
            Ok(node) => Ok(node),
            Err(error) => {
                below.journal.close().await;
                Err(error)
            }
        }
    }

    async fn above(
        below: &Below,
        network: Network,
        local: Local,
        config: &Config,
        telemetry: &Telemetry,
    ) -> Result<Node, StartError> {
        let Below { env, journal } = below;
        let raft = network.raft.clone();
        let data = DataPlane::new(env.clone(), journal.clone(), raft.clone(), data_options(config), telemetry.clone());
        let host = Arc::new(DataPlaneHost::new(data.clone(), shard_limits(config.limits)));
        let ground = Ground { env: env.clone(), journal: journal.clone(), raft: raft.clone(), host };
        let control = match ControlPlane::open(ground, local, control_options(config)).await {
            Ok(control) => control,
            Err(error) => {
                // Whatever it was: what is stored stays as it is.
                journal.freeze();
                data.close().await;
                return Err(error.into());
            }
        };
        control.wait_ready().await;
        let options = router::Options {
            region: config.region.clone(),
            account: config.account.clone(),
            account_limits: account_limits(config.limits),
        };
        let router = Router::new(env.clone(), control.clone(), data.clone(), raft, options);
        Ok(Node { journal: journal.clone(), network, data, control, router })
    }

    /// Completes with the reason when the node can no longer do its work.
    pub(crate) fn failed(&self) -> impl Future<Output = String> + Send + 'static {
        let control = self.control.clone();
        async move { control.stopped().await }
    }

    /// Has other nodes lead what this one leads, as far as there are any: they take over in a moment, while those that miss this node
    /// need a second to.
    pub(crate) async fn hand_over(&self) {
        self.network.raft.leave();
        if self.control.catalog().nodes().len() < 2 {
            return;
        }
        let handed = async {
            if let Err(error) = self.control.hand_over(HAND_OVER_EACH_MAX).await {
                tracing::info!(%error, "nobody takes the catalog over");
            }
            self.data.hand_over(HAND_OVER_EACH_MAX).await
        };
        match tokio::time::timeout(HAND_OVER_MAX, handed).await {
            Ok(0) => tracing::info!("other nodes lead what this one led"),
            Ok(left) => tracing::info!(left, "nobody takes the rest of the shards over"),
            Err(_late) => tracing::info!("other nodes take too long to take over, this one stops all the same"),
        }
    }

    /// The controllers first, since they open shards; then the shards, with what they have in flight; the journal last.
    pub(crate) async fn close(&self) {
        self.control.close().await;
        self.data.close().await;
        self.network.close().await;
        self.journal.close().await;
    }
}

/// What a node has before it has planes.
struct Below {
    env: Env,
    journal: Journal,
}

impl Below {
    async fn open(&self, config: &Config, telemetry: &Telemetry) -> Result<Node, StartError> {
        let (network, peer_addr) = Network::start(&self.env, config, telemetry).await?;
        let opened = match local(&self.env, config, peer_addr, holds_nothing(&self.journal)).await {
            Ok(local) => Node::above(self, network.clone(), local, config, telemetry).await,
            Err(error) => Err(error),
        };
        if opened.is_err() {
            network.close().await;
        }
        opened
    }
}

/// This node, as it introduces itself.
async fn local(env: &Env, config: &Config, peer_addr: String, is_new: bool) -> Result<Local, StartError> {
    Ok(Local {
        node: NodeId(config.node_id),
        incarnation: identity::incarnation(env, is_new).await.map_err(StartError::Identity)?,
        api_addr: config.api_advertise.clone().unwrap_or_else(|| config.api_addr.to_string()),
        peer_addr,
        zone: config.zone.clone(),
        origin: if config.seeds.is_empty() { Origin::Found } else { Origin::Join(config.seeds.clone()) },
    })
}

/// See [`control_plane::start_over`]. The outer error is one of the ground below.
async fn start_over(
    env: &Env,
    config: &Config,
    telemetry: &Telemetry,
) -> Result<Result<(), control_plane::Error>, StartError> {
    let (network, peer_addr) = Network::start(env, config, telemetry).await?;
    let outcome = match local(env, config, peer_addr, false).await {
        Ok(local) => Ok(control_plane::start_over(env, &network.transport, &local).await),
        Err(error) => Err(error),
    };
    network.close().await;
    outcome
}

/// Whether no group has an entry or a vote here. A damaged one may have had some.
fn holds_nothing(journal: &Journal) -> bool {
    let is_blank = |group| journal.group(group).is_ok_and(|log| log.last().is_none() && log.vote().is_none());
    journal.groups().into_iter().all(is_blank)
}

/// The way to the other nodes, and the groups that are shared with them.
#[derive(Clone)]
struct Network {
    transport: Transport,
    raft: RaftNode,
}

impl Network {
    /// Also tells the address by which other nodes reach this one; empty if it doesn't listen for any.
    async fn start(env: &Env, config: &Config, telemetry: &Telemetry) -> Result<(Network, String), StartError> {
        let identity = Identity::new(&config.cluster, NodeId(config.node_id))?;
        let tls = tls(env, config, &identity)?;
        let transport = Transport::new(env.clone(), identity, transport::Options::default(), telemetry, tls);
        let raft =
            RaftNode::start(env.clone(), NodeId(config.node_id), transport.clone(), raft_group::Options::default());
        let network = Network { transport, raft };
        let Some(address) = config.peer_addr else { return Ok((network, String::new())) };
        match network.transport.listen(address).await {
            Ok(bound) => {
                let advertised = config.peer_advertise.clone().unwrap_or_else(|| bound.to_string());
                Ok((network, advertised))
            }
            Err(error) => {
                network.close().await;
                Err(error.into())
            }
        }
    }

    async fn close(&self) {
        self.raft.close().await;
        self.transport.close().await;
    }
}

fn tls(env: &Env, config: &Config, identity: &Identity) -> Result<Option<Tls>, StartError> {
    let Some(PeerTls { ca_file, cert_file, key_file }) = &config.peer_tls else { return Ok(None) };
    let files = TlsFiles { certificate: cert_file.clone(), key: key_file.clone(), authority: ca_file.clone() };
    Ok(Some(Tls::load(files, identity, Arc::clone(&env.clock))?))
}

fn control_options(config: &Config) -> control_plane::Options {
    control_plane::Options { replication: config.replication, ..control_plane::Options::default() }
}

pub(crate) fn journal_options(config: &Config) -> journal::Options {
    let keys = &config.journal;
    journal::Options {
        file_bytes: keys.file_bytes,
        files_max: usize::try_from(keys.files_max).unwrap_or(usize::MAX),
        flush_bytes: keys.flush_bytes,
        tail_budget_bytes: keys.tail_bytes_max,
        free_bytes_reserve: keys.free_bytes_reserve,
        // The default's share of the default file, so that smaller files are as well indexed; below 512 bytes it would not pay.
        index_every_bytes: (keys.file_bytes / 1024).clamp(512, 64 << 10),
        ..journal::Options::default()
    }
}

fn data_options(config: &Config) -> data_plane::Options {
    let keys = &config.shards;
    let defaults = data_plane::Options::default();
    // An entry must fit into a journal file, with room for its own header and the membership of its command.
    let payload_bytes_max = journal_options(config).payload_bytes_max() - ENTRY_OVERHEAD_BYTES;
    data_plane::Options {
        entry_bytes_max: defaults.entry_bytes_max.min(payload_bytes_max),
        batch_bytes_max: defaults.batch_bytes_max.min(payload_bytes_max),
        node_queue_bytes_max: keys.queue_bytes_max,
        read_bytes_max: keys.read_bytes_max,
        retention_interval: keys.retention_check,
        retention_settle: keys.retention_settle,
        ..defaults
    }
}

fn shard_limits(mode: LimitsMode) -> ShardLimits {
    match mode {
        LimitsMode::Aws => ShardLimits::aws(),
        LimitsMode::Off => ShardLimits::off(),
    }
}

fn account_limits(mode: LimitsMode) -> AccountLimits {
    match mode {
        LimitsMode::Aws => AccountLimits::default(),
        LimitsMode::Off => AccountLimits::OFF,
    }
}
