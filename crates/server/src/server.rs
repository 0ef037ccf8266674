//! A running node.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::Api;
use env::Env;
use telemetry::Telemetry;

use crate::admin::Admin;
use crate::api_handler::ApiHandler;
use crate::http::{Handler, HttpServer, Limits};
use crate::node::Node;
use crate::readiness::{Readiness, State};
use crate::{Config, StartError};

/// Connections and memory of the admin address: a few probes and scrapers, which send no bodies.
const ADMIN_CONNECTIONS_MAX: u32 = 64;
const ADMIN_MEMORY_BYTES_MAX: usize = 8 << 20;
const ADMIN_BODY_BYTES_MAX: usize = 64 << 10;
const ADMIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Beyond the longest wait of a healthy connection.
const IDLE_MARGIN: Duration = Duration::from_secs(5);

/// A node that serves, until [`Server::shutdown`].
pub struct Server {
    env: Env,
    shutdown_timeout: Duration,
    readiness: Readiness,
    node: Node,
    api: Arc<OnceLock<HttpServer>>,
    api_addr: SocketAddr,
    admin: HttpServer,
}

impl Server {
    /// Starts a node in the data directory of `env`: the admin listener first, so that probes see it start, then everything that is
    /// stored, then the API's listener. It serves when this returns.
    ///
    /// # Errors
    /// [`StartError`]; what had been started has been stopped then.
    pub async fn start(env: Env, config: &Config) -> Result<Server, StartError> {
        let telemetry = Telemetry::new();
        let readiness = Readiness::new();
        let api = Arc::new(OnceLock::new());
        let control = Arc::new(OnceLock::new());
        let admin = Admin {
            readiness: readiness.clone(),
            telemetry: telemetry.clone(),
            api: Arc::clone(&api),
            control: Arc::clone(&control),
        };
        let admin = listen(&env, "admin_addr", config.admin_addr, admin_limits(), admin).await?;
        // Dropping `admin` on an error ends its listener.
        let node = Node::open(&env, config, &telemetry).await?;
        // It is set nowhere else, nor is the API's listener below.
        let _ = control.set(node.control.clone());
        let api_of_node =
            Api::new(node.router.clone(), telemetry.clone(), Arc::clone(&env.clock), config.access_key.clone());
        let handler = ApiHandler { api: api_of_node, telemetry };
        let listening = match listen(&env, "api_addr", config.api_addr, api_limits(config), handler).await {
            Ok(listening) => listening,
            Err(error) => {
                node.close().await;
                return Err(error);
            }
        };
        let api_addr = listening.address();
        let _ = api.set(listening);
        readiness.reach(State::Ready);
        let server = Server { env, shutdown_timeout: config.shutdown_timeout, readiness, node, api, api_addr, admin };
        server.watch();
        tracing::info!(api = %server.api_addr(), admin = %server.admin_addr(), "serving");
        Ok(server)
    }

    /// Says so, to the log and to probes, should the node become unable to work.
    fn watch(&self) {
        let (failed, readiness) = (self.node.failed(), self.readiness.clone());
        let watch = async move {
            let reason = failed.await;
            if readiness.get() != State::Stopping {
                tracing::error!(reason, "the catalog's group has died: restart the node");
                readiness.reach(State::Failed);
            }
        };
        self.env.spawn.task("node watch", Box::pin(watch));
    }

    /// Where the API listens, with the port chosen for 0.
    #[must_use]
    pub fn api_addr(&self) -> SocketAddr {
        self.api_addr
    }

    /// Where health and metrics listen, with the port chosen for 0.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.address()
    }

    /// Stops in order: has other nodes lead what this one does, takes no more connections, answers what is in flight within the configured deadline, cuts the rest, closes the
    /// planes and the journal. Everything acknowledged is durable at any moment before, during and after.
    pub async fn shutdown(self) {
        self.readiness.reach(State::Stopping);
        self.node.hand_over().await;
        if let Some(api) = self.api.get() {
            let cut = api.stop(self.shutdown_timeout).await;
            if cut > 0 {
                tracing::warn!(connections = cut, "cut connections that did not finish in time");
            }
        }
        self.node.close().await;
        self.admin.stop(Duration::ZERO).await;
        tracing::info!("stopped");
    }
}

async fn listen<H: Handler>(
    env: &Env,
    key: &'static str,
    address: SocketAddr,
    limits: Limits,
    handler: H,
) -> Result<HttpServer, StartError> {
    let listening = HttpServer::start(env, key, address, limits, handler).await;
    listening.map_err(|error| StartError::Listen { key, address, error })
}

fn api_limits(config: &Config) -> Limits {
    let keys = &config.http;
    Limits {
        connections_max: keys.connections_max,
        header_timeout: keys.header_timeout,
        body_timeout: keys.body_timeout,
        request_timeout: keys.request_timeout,
        body_bytes_max: keys.body_bytes_max,
        memory_bytes_max: keys.memory_bytes_max,
        streams_max: keys.streams_max,
        idle_timeout: keys.header_timeout.max(keys.body_timeout + keys.request_timeout) + IDLE_MARGIN,
    }
}

fn admin_limits() -> Limits {
    Limits {
        connections_max: ADMIN_CONNECTIONS_MAX,
        header_timeout: ADMIN_TIMEOUT,
        body_timeout: ADMIN_TIMEOUT,
        request_timeout: ADMIN_TIMEOUT,
        body_bytes_max: ADMIN_BODY_BYTES_MAX,
        memory_bytes_max: ADMIN_MEMORY_BYTES_MAX,
        streams_max: ADMIN_CONNECTIONS_MAX,
        idle_timeout: 3 * ADMIN_TIMEOUT + IDLE_MARGIN,
    }
}
