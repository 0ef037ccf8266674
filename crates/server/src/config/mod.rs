//! The configuration: a value, a table of its keys, and ways to fill the one by the other.
//!
//! [`keys`] is the one place that knows a key's name, default, bounds and meaning. Reading a file or the environment, the reference
//! that `thalweg config` prints and `docs/reference/configuration.md` all come from that table.

mod error;
mod key;
mod keys;
mod load;
mod reference;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use api::AccessKey;
pub use error::ConfigError;
pub use load::{Loaded, load};
pub use reference::reference;

/// Everything that an operator can choose. Keys, defaults, bounds and units: [`reference()`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Key `data_dir`.
    pub data_dir: PathBuf,
    /// Key `node_id`.
    pub node_id: u64,
    /// Key `cluster`.
    pub cluster: String,
    /// Key `seeds`.
    pub seeds: Vec<String>,
    /// Key `zone`.
    pub zone: String,
    /// Key `replication`.
    pub replication: u8,
    /// Key `peer_addr`; `None` if other nodes are not listened for.
    pub peer_addr: Option<SocketAddr>,
    /// Key `peer_advertise`.
    pub peer_advertise: Option<String>,
    /// Key `api_advertise`.
    pub api_advertise: Option<String>,
    /// Keys `peer_tls.*`; `None` if none is given. [`load`] gives all of them or none.
    pub peer_tls: Option<PeerTls>,
    /// Key `api_addr`.
    pub api_addr: SocketAddr,
    /// Key `admin_addr`.
    pub admin_addr: SocketAddr,
    /// Key `region`.
    pub region: String,
    /// Key `account`.
    pub account: String,
    /// Keys `access_key_id` and `secret_access_key`; `None` if neither is given, and then signatures are not checked.
    pub access_key: Option<AccessKey>,
    /// Key `limits`.
    pub limits: LimitsMode,
    /// Key `shutdown_timeout_seconds`.
    pub shutdown_timeout: Duration,
    /// Key `log`.
    pub log: String,
    /// Key `log_format`.
    pub log_format: LogFormat,
    /// Keys `http.*`.
    pub http: HttpConfig,
    /// Keys `journal.*`.
    pub journal: JournalConfig,
    /// Keys `shards.*`.
    pub shards: ShardsConfig,
}

/// Keys `peer_tls.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerTls {
    /// Key `peer_tls.ca_file`.
    pub ca_file: PathBuf,
    /// Key `peer_tls.cert_file`.
    pub cert_file: PathBuf,
    /// Key `peer_tls.key_file`.
    pub key_file: PathBuf,
}

/// Keys `http.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpConfig {
    /// Key `http.connections_max`.
    pub connections_max: u32,
    /// Key `http.streams_max`.
    pub streams_max: u32,
    /// Key `http.header_timeout_seconds`.
    pub header_timeout: Duration,
    /// Key `http.body_timeout_seconds`.
    pub body_timeout: Duration,
    /// Key `http.request_timeout_seconds`.
    pub request_timeout: Duration,
    /// Key `http.body_bytes_max`.
    pub body_bytes_max: usize,
    /// Key `http.memory_bytes_max`.
    pub memory_bytes_max: usize,
}

/// Keys `journal.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalConfig {
    /// Key `journal.file_bytes`.
    pub file_bytes: u64,
    /// Key `journal.files_max`.
    pub files_max: u64,
    /// Key `journal.flush_bytes`.
    pub flush_bytes: u64,
    /// Key `journal.tail_bytes_max`.
    pub tail_bytes_max: u64,
    /// Key `journal.free_bytes_reserve`.
    pub free_bytes_reserve: u64,
}

/// Keys `shards.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardsConfig {
    /// Key `shards.queue_bytes_max`.
    pub queue_bytes_max: u32,
    /// Key `shards.read_bytes_max`.
    pub read_bytes_max: u32,
    /// Key `shards.retention_check_seconds`.
    pub retention_check: Duration,
    /// Key `shards.retention_settle_seconds`.
    pub retention_settle: Duration,
}

/// Whether AWS' limits per shard are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitsMode {
    /// As AWS has them.
    Aws,
    /// Only the machine limits.
    Off,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object per line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        let mut config = Self::blank();
        for key in keys::KEYS {
            let set = key.set(&mut config, key.default);
            // The table is constant, and a test reads each default.
            debug_assert!(set.is_ok(), "{set:?}");
        }
        config
    }
}

impl Config {
    /// What the table's defaults are written over.
    fn blank() -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            data_dir: PathBuf::new(),
            node_id: 0,
            cluster: String::new(),
            seeds: Vec::new(),
            zone: String::new(),
            replication: 0,
            peer_addr: None,
            peer_advertise: None,
            peer_tls: None,
            api_advertise: None,
            api_addr: anywhere,
            admin_addr: anywhere,
            region: String::new(),
            account: String::new(),
            access_key: None,
            limits: LimitsMode::Aws,
            shutdown_timeout: Duration::ZERO,
            log: String::new(),
            log_format: LogFormat::Human,
            http: HttpConfig {
                connections_max: 0,
                streams_max: 0,
                header_timeout: Duration::ZERO,
                body_timeout: Duration::ZERO,
                request_timeout: Duration::ZERO,
                body_bytes_max: 0,
                memory_bytes_max: 0,
            },
            journal: JournalConfig {
                file_bytes: 0,
                files_max: 0,
                flush_bytes: 0,
                tail_bytes_max: 0,
                free_bytes_reserve: 0,
            },
            shards: ShardsConfig {
                queue_bytes_max: 0,
                read_bytes_max: 0,
                retention_check: Duration::ZERO,
                retention_settle: Duration::ZERO,
            },
        }
    }
}
