//! What lies below the listeners: journal, planes, router. One value, opened from the ground up and closed from the top down.

use std::sync::Arc;

use control_plane::ControlPlane;
use data_plane::{DataPlane, ShardLimits};
use env::Env;
use journal::Journal;
use router::{AccountLimits, DataPlaneHost, Router};
use telemetry::Telemetry;
use types::NodeId;

use crate::{Config, LimitsMode, StartError};

/// What a command adds to the batches in it.
const ENTRY_OVERHEAD_BYTES: u64 = 4 << 10;

pub(crate) struct Node {
    journal: Journal,
    data: DataPlane,
    control: ControlPlane,
    pub(crate) router: Router,
}

impl Node {
    /// Opens everything that is stored, and completes when every shard serves or has said why it can't.
    pub(crate) async fn open(env: &Env, config: &Config, telemetry: &Telemetry) -> Result<Node, StartError> {
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
        let id = NodeId(config.node_id);
        let shard_limits = shard_limits(config.limits);
        let data = DataPlane::new(env.clone(), journal.clone(), id, data_options(config), telemetry.clone());
        let host = Arc::new(DataPlaneHost::new(data.clone(), shard_limits));
        let opened =
            ControlPlane::open(env.clone(), journal.clone(), id, control_plane::Options::default(), host).await;
        let control = match opened {
            Ok(control) => control,
            Err(error) => {
                data.close().await;
                journal.close().await;
                return Err(error.into());
            }
        };
        control.wait_ready().await;
        let options = router::Options {
            region: config.region.clone(),
            account: config.account.clone(),
            account_limits: account_limits(config.limits),
        };
        let router = Router::new(env.clone(), control.clone(), data.clone(), options);
        Ok(Node { journal, data, control, router })
    }

    /// Completes with the reason when the node can no longer do its work.
    pub(crate) fn failed(&self) -> impl Future<Output = String> + Send + 'static {
        let control = self.control.clone();
        async move { control.stopped().await }
    }

    /// The controllers first, since they open shards; then the shards, with what they have in flight; the journal last.
    pub(crate) async fn close(&self) {
        self.control.close().await;
        self.data.close().await;
        self.journal.close().await;
    }
}

fn journal_options(config: &Config) -> journal::Options {
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
