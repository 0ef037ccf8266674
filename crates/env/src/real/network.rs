use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::{BoxFuture, Listener, Network, Stream};

/// Connections that the kernel completes before they are accepted; more are refused or retried by the peer. Enough for a burst of
/// clients that reconnect after a restart.
const LISTEN_BACKLOG: u32 = 1024;

/// TCP sockets without Nagle's delay.
pub struct RealNetwork;

impl Network for RealNetwork {
    fn bind(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            // Or a restart would have to wait for the old connections' TIME_WAIT.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let listener = socket.listen(LISTEN_BACKLOG)?;
            Ok(Box::new(RealListener { listener }) as Box<dyn Listener>)
        })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn resolve(&self, host_port: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let host_port = host_port.to_owned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host(&host_port).await?.collect();
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host_port} has no address")));
            }
            Ok(found)
        })
    }
}

struct RealListener {
    listener: TcpListener,
}

impl Listener for RealListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async move {
            let (stream, peer) = self.listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream) as Box<dyn Stream>, peer))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
