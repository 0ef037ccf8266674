//! HTTP/1.1 and clear-text HTTP/2 on one port: connections, requests, bodies, and every bound on them. What a request means is the
//! [`Handler`]'s business.
//!
//! Bounds, each of which ends in an answer or a closed connection and never in a growing queue: open connections, time for the head,
//! time and bytes of a body, time of a request, silence on a connection, and bytes of all requests and large replies in memory.

mod body;
mod budget;
mod connection;
mod exchange;
mod executor;
mod handler;
mod idle_io;
mod limits;
mod listener;
mod request_id;
mod within;

#[cfg(test)]
mod tests;

pub(crate) use handler::{Handler, Refusal};
pub(crate) use limits::Limits;
pub(crate) use listener::HttpServer;
