//! The composition root: from a configuration and an [`env::Env`] to a serving node.

mod config;
mod http;

pub use config::{Config, ConfigError, HttpConfig, JournalConfig, LimitsMode, Loaded, LogFormat, load, reference};
