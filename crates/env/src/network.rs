use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::BoxFuture;

/// A connection in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Sockets.
pub trait Network: Send + Sync + 'static {
    /// Listens on `address`; port 0 chooses a free one.
    fn bind(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Listener>>>;

    /// Connects to `address`. The caller sets the deadline.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Stream>>>;

    /// The addresses of `host_port`, a name or an IP address with a port: `node-2.example:4568`, `10.0.0.2:4568`, `[::1]:4568`. At
    /// least one; asks the name service anew each time. The caller sets the deadline.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for text of another form, [`io::ErrorKind::NotFound`] for a name without addresses, and what
    /// the name service answers.
    fn resolve(&self, host_port: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// A bound listener.
pub trait Listener: Send + 'static {
    /// The next connection and its peer.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, SocketAddr)>>;

    /// The address really bound, with the chosen port.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}
