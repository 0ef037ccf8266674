use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use turmoil::net::{TcpListener, TcpStream};

use super::ProcessEnd;
use super::connections::Connections;
use crate::{BoxFuture, Listener, Network, Stream};

/// The simulated TCP of the turmoil host that asks. It has no retransmission: a connection over a cut link hangs, so that every use
/// needs a deadline.
pub struct TurmoilNetwork {
    connections: Connections,
}

impl TurmoilNetwork {
    /// The sockets of the process that ends with `end`.
    pub fn new(end: &ProcessEnd) -> Self {
        Self { connections: end.connections() }
    }
}

impl Network for TurmoilNetwork {
    fn bind(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        let connections = self.connections.clone();
        Box::pin(async move {
            let listener = TcpListener::bind(bindable(address)).await?;
            Ok(Box::new(SimListener { listener, ip: address.ip(), connections }) as Box<dyn Listener>)
        })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let connections = self.connections.clone();
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            Ok(Box::new(connections.add(stream)) as Box<dyn Stream>)
        })
    }

    /// Knows the names of turmoil's hosts. turmoil gives a name without a host an address that nobody answers at.
    fn resolve(&self, host_port: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let host_port = host_port.to_owned();
        Box::pin(async move {
            if let Ok(address) = host_port.parse::<SocketAddr>() {
                return Ok(vec![address]);
            }
            let parts = host_port.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
            let Some((host, port)) = parts.filter(|(host, _)| !host.is_empty()) else {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{host_port}` is not host:port")));
            };
            Ok(vec![SocketAddr::new(turmoil::lookup(host), port)])
        })
    }
}

/// A host has one address, and turmoil binds it only by the name "any".
fn bindable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if ip.is_loopback() => ip,
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(ip, address.port())
}

struct SimListener {
    listener: TcpListener,
    ip: IpAddr,
    connections: Connections,
}

impl Listener for SimListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async move {
            let (stream, peer) = self.listener.accept().await?;
            Ok((Box::new(self.connections.add(stream)) as Box<dyn Stream>, peer))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::new(self.ip, self.listener.local_addr()?.port()))
    }
}
