//! Calls between nodes: many groups' requests and answers over few TCP connections.
//!
//! A call's way: [`Transport::send`] finds the peer's [`link`] for the lane, which keeps one connection up; it waits for [`room`],
//! notes the call among those that wait ([`calls`]) and queues it; the connection's [`writer`] takes everything that is queued and
//! writes it vectored. On the other node the connection's [`reader`] gives each request a buffer of its own, sliced into head and
//! body, and [`served`] hands it to the [`Handler`] of its [`Service`], in the order of arrival. The answer goes back the same way.
//!
//! Each node calls over connections that it made itself, so that what it is asked never waits behind what it asks: a connection
//! carries requests in one direction and answers in the other.
//!
//! With [`Tls`] each side knows by certificate that the other one is the node that it says it is.
//!
//! Everything is bounded: bytes and calls in flight by [`room`], every wait by the call's deadline, every connection's silence by
//! [`Options::silence_max`] (each side says something every [`Options::idle_ping`]), frames by [`Options::frame_bytes_max`] before
//! a buffer is made for them.

mod calls;
mod certificates;
mod connection;
mod dial;
mod error;
mod frame;
mod handler;
mod handshake;
mod hello;
mod identity;
mod link;
mod listener;
mod lost;
mod message;
mod meters;
mod options;
mod peers;
mod pending;
mod reader;
mod refusal;
mod room;
mod seldom;
mod served;
mod shared;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod within;
mod writer;

pub use error::{CallError, Error, HandshakeError, IdentityError, NotSent, Refused, Unknown};
pub use handler::Handler;
pub use hello::{WIRE_MAJOR, WIRE_MINOR};
pub use identity::{CLUSTER_BYTES_MAX, Identity};
pub use message::{Answer, Call, Lane, Reply, Request, Service};
pub use options::Options;
pub use pending::Pending;
pub use tls::{Tls, TlsError, TlsFiles};
pub use transport::Transport;
