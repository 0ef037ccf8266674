use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use env::Env;
use telemetry::Telemetry;
use types::NodeId;

use crate::certificates;
use crate::connection::Connection;
use crate::dial::dial;
use crate::listener;
use crate::message::payload_bytes;
use crate::meters::Meters;
use crate::peers::Peers;
use crate::shared::Shared;
use crate::{CallError, Error, Handler, Identity, Lane, NotSent, Options, Pending, Reply, Request, Service, Tls};

/// This node's calls to others and theirs to it. Clones share everything; when the last one is dropped the transport closes.
#[derive(Clone)]
pub struct Transport {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    peers: Peers,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.begin_close();
    }
}

impl Transport {
    /// A transport that neither listens nor knows anyone yet. Without `tls` nothing is encrypted, and anyone who reaches a node may
    /// pose as another: for a network that is private, and for tests. Nodes with and without don't understand each other.
    #[must_use]
    pub fn new(env: Env, identity: Identity, options: Options, telemetry: &Telemetry, tls: Option<Tls>) -> Self {
        let options = Options { frame_bytes_max: options.frame_bytes_max.min(Options::FRAME_BYTES_LIMIT), ..options };
        let shared = Arc::new(Shared::new(env, identity, options, Meters::new(telemetry), tls.clone()));
        if let Some((tls, closing)) = tls.zip(shared.open()) {
            let watch = certificates::watch(closing, Arc::clone(&shared), tls);
            // It reads files, and so blocks.
            shared.env.spawn.dedicated("transport certificates", Box::pin(watch));
        }
        Self { inner: Arc::new(Inner { shared, peers: Peers::default() }) }
    }

    /// How this node introduces itself.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.inner.shared.identity
    }

    /// Listens on `address` and serves other nodes in the background. Returns the address really bound: port 0 chooses a free one.
    ///
    /// # Errors
    /// [`Error::Bind`], or [`Error::Closed`] after [`Transport::close`].
    pub async fn listen(&self, address: SocketAddr) -> Result<SocketAddr, Error> {
        let shared = &self.inner.shared;
        let closing = shared.open().ok_or(Error::Closed)?;
        let refuse = |source| Error::Bind { address, source };
        let listener = shared.env.network.bind(address).await.map_err(refuse)?;
        let bound = listener.local_addr().map_err(refuse)?;
        shared.spawn("transport listener", Box::pin(listener::run(closing, Arc::clone(shared), listener)));
        Ok(bound)
    }

    /// Lets `handler` answer the calls to `service` from now on. Calls to a service without a handler are refused.
    pub fn serve(&self, service: Service, handler: Arc<dyn Handler>) {
        let old = self.inner.shared.services.write().insert(service, handler);
        drop(old);
    }

    /// Says where `node` is: `host:port`, a name or an IP address; a name is looked up for each connection. The same address
    /// again changes nothing; another one ends the connections to the old one and fails their calls. Nothing is connected before
    /// the first call.
    pub fn set_peer(&self, node: NodeId, address: &str) {
        self.inner.peers.set(node, address);
    }

    /// Forgets where `node` is, ends the connections to it and fails their calls.
    pub fn remove_peer(&self, node: NodeId) {
        self.inner.peers.remove(node);
    }

    /// Queues `request` for `node`. Waits for a connection, if one is being made, and then, first come, first served, for room within
    /// [`Options::in_flight_bytes_max`] and [`Options::calls_max`]; both at most until `deadline`, which is counted from here and
    /// goes on for the answer.
    ///
    /// Requests for one node, lane and group that one task sends one after another arrive in that order, as long as the connection
    /// lasts; when it is lost, all that were sent before fail before any is sent after. Dropping the future before it completes
    /// sends nothing.
    ///
    /// # Errors
    /// [`CallError::NotSent`]: at once while `node` is known not to be reached.
    pub async fn send(
        &self,
        node: NodeId,
        lane: Lane,
        request: Request,
        deadline: Duration,
    ) -> Result<Pending, CallError> {
        let sent = self.try_send(node, lane, request, deadline).await;
        sent.map_err(|reason| self.count(reason.into()))
    }

    async fn try_send(
        &self,
        node: NodeId,
        lane: Lane,
        request: Request,
        deadline: Duration,
    ) -> Result<Pending, NotSent> {
        let shared = &self.inner.shared;
        self.check_size(&request)?;
        let link = self.inner.peers.link(shared, node, lane, request.group)?;
        let began = shared.env.clock.monotonic();
        let mut timer = shared.env.clock.sleep(deadline);
        let connection = tokio::select! {
            biased;
            connection = link.connection() => connection?,
            () = &mut timer => return Err(NotSent::NoConnection),
        };
        tokio::select! {
            biased;
            sent = connection.send(request, began, deadline) => sent,
            () = &mut timer => Err(NotSent::NoRoom),
        }
    }

    /// [`Transport::send`], then its outcome.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call(
        &self,
        node: NodeId,
        lane: Lane,
        request: Request,
        deadline: Duration,
    ) -> Result<Reply, CallError> {
        self.send(node, lane, request, deadline).await?.await
    }

    /// Calls whichever node of this cluster is at `address` (`host:port`), and says which one it is: for a seed address. Over a
    /// connection of its own, closed afterwards, so for rare calls only. `deadline` is for everything together.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call_at(
        &self,
        address: &str,
        request: Request,
        deadline: Duration,
    ) -> Result<(NodeId, Reply), CallError> {
        let shared = &self.inner.shared;
        self.check_size(&request).map_err(|reason| self.count(reason.into()))?;
        let mut closing = shared.open().ok_or_else(|| self.count(NotSent::Closed.into()))?;
        let began = shared.env.clock.monotonic();
        let address: Arc<str> = address.into();
        let dialled = tokio::select! {
            biased;
            dialled = dial(shared, &address, None, Lane::Control, 0) => dialled,
            () = closing.begun() => Err(NotSent::Closed),
            () = shared.env.clock.sleep(deadline) => Err(NotSent::NoConnection),
        };
        let (node, stream) = dialled.map_err(|reason| self.count(reason.into()))?;
        let (connection, mut run) = Connection::new(shared, &address, stream);
        let sent = connection.send(request, began, deadline).await;
        let mut pending = sent.map_err(|reason| self.count(reason.into()))?;
        tokio::select! {
            biased;
            reply = &mut pending => return Ok((node, reply?)),
            _ = &mut run => {}
            () = closing.begun() => {}
        }
        // The end of the connection ends the call, and says why.
        drop(run);
        Ok((node, pending.await?))
    }

    /// Ends everything: stops listening, ends all connections, fails the calls made here, drops the futures of those answered here
    /// and forgets the handlers. Completes when no task of the transport is left.
    pub async fn close(&self) {
        self.inner.shared.close().await;
    }

    fn check_size(&self, request: &Request) -> Result<(), NotSent> {
        let (bytes, bytes_max) =
            (payload_bytes(&request.head, &request.body), self.inner.shared.options.frame_bytes_max);
        if bytes > bytes_max { Err(NotSent::TooLarge { bytes, bytes_max }) } else { Ok(()) }
    }

    fn count(&self, error: CallError) -> CallError {
        self.inner.shared.meters.calls.failed(&error);
        error
    }
}
