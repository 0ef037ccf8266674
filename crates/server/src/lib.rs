//! The composition root: from a configuration and an [`env::Env`] to a serving node.

mod config;
mod http;

pub use config::{Config, ConfigError, HttpConfig, JournalConfig, LimitsMode, Loaded, LogFormat, load, reference};
/// tmp
pub struct Server;
/// tmp
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct StartError;
#[allow(missing_docs)]
impl Server {
    pub async fn start(_: env::Env, _: &Config) -> Result<Server, StartError> {
        Err(StartError)
    }
    pub fn api_addr(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], 0).into()
    }
    pub fn admin_addr(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], 0).into()
    }
    pub async fn shutdown(self) -> Result<(), StartError> {
        Ok(())
    }
}
