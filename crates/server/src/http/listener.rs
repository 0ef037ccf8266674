//! A listening socket and its connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use env::{Clock, Listener};
use env::{Env, Stream};
use tokio::sync::{Semaphore, watch};

use super::budget::Budget;
use super::connection::{self, reached};
use super::exchange::Exchange;
use super::within::within;
use super::{Handler, Limits};

/// Pause after a failed accept, most often for want of file descriptors: time for some to be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How far a server has come, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Takes connections.
    Serving,
    /// Takes none, and ends each one when its requests in flight are answered.
    Draining,
    /// Ends what is left.
    Cut,
}

/// A listener that serves until [`HttpServer::stop`] or until it is dropped.
pub(crate) struct HttpServer {
    address: SocketAddr,
    connections_max: u32,
    phase: watch::Sender<Phase>,
    slots: Arc<Semaphore>,
    budget: Budget,
    clock: Arc<dyn Clock>,
}

impl HttpServer {
    /// Listens on `address`, with port 0 on a free one, and serves.
    pub(crate) async fn start<H: Handler>(
        env: &Env,
        name: &'static str,
        address: SocketAddr,
        limits: Limits,
        handler: H,
    ) -> io::Result<HttpServer> {
        let listener = env.network.bind(address).await?;
        let server = HttpServer {
            address: listener.local_addr()?,
            connections_max: limits.connections_max,
            phase: watch::Sender::new(Phase::Serving),
            slots: Arc::new(Semaphore::new(limits.connections_max as usize)),
            budget: Budget::new(limits.memory_bytes_max),
            clock: Arc::clone(&env.clock),
        };
        let exchange = Exchange { env: env.clone(), limits, budget: server.budget.clone(), handler: Arc::new(handler) };
        let acceptor = Acceptor {
            exchange: Arc::new(exchange),
            phase: server.phase.subscribe(),
            slots: Arc::clone(&server.slots),
        };
        env.spawn.task(name, Box::pin(acceptor.run(listener)));
        Ok(server)
    }

    /// The address bound.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections open now.
    pub(crate) fn connections(&self) -> usize {
        self.connections_max as usize - self.slots.available_permits()
    }

    /// Bytes of requests and large replies in memory now.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.budget.used()
    }

    /// Takes no more connections, answers what is in flight within `deadline`, then cuts the rest. Returns how many were cut.
    pub(crate) async fn stop(&self, deadline: Duration) -> usize {
        self.phase.send_replace(Phase::Draining);
        // Every connection holds one slot for its life.
        let all_ended = self.slots.acquire_many(self.connections_max);
        let left = match within(&*self.clock, deadline, all_ended).await {
            Some(_) => 0,
            None => self.connections(),
        };
        self.phase.send_replace(Phase::Cut);
        left
    }
}

struct Acceptor<H> {
    exchange: Arc<Exchange<H>>,
    phase: watch::Receiver<Phase>,
    slots: Arc<Semaphore>,
}

impl<H: Handler> Acceptor<H> {
    async fn run(mut self, mut listener: Box<dyn Listener>) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = reached(&mut self.phase, Phase::Draining) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.take(stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    self.exchange.env.clock.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: Box<dyn Stream>, peer: SocketAddr) {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            tracing::debug!(%peer, "too many connections, one more was closed");
            return;
        };
        let connection = connection::serve(Arc::clone(&self.exchange), stream, self.phase.clone(), slot);
        self.exchange.env.spawn.task("http connection", Box::pin(connection));
    }
}
