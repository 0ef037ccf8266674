//! The composition root: from a configuration and an [`env::Env`] to a serving node.
//!
//! [`Server::start`] opens the parts from the ground up: journal, data plane, control plane, router, API; [`Server::shutdown`] closes
//! them in the opposite order. [`http`] is the way in and knows nothing of Kinesis; [`config`](mod@config) is the one place that knows
//! what can be chosen.

mod admin;
mod api_handler;
mod config;
mod error;
mod establish;
mod http;
mod identity;
mod node;
mod readiness;
mod server;

pub use catalog_state::NodeState;
pub use config::{
    AccessKey, Config, ConfigError, HttpConfig, JournalConfig, LimitsMode, Loaded, LogFormat, PeerTls, ShardsConfig,
    load, reference,
};
pub use control_plane::{ClusterStatus, NodeStatus, ShardTrouble};
pub use error::StartError;
pub use establish::{Established, establish};
pub use server::Server;
