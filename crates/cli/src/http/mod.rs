//! A plain client for the server's own addresses.

mod connection;
mod endpoint;

pub(crate) use connection::{Connection, NoAnswer};
pub(crate) use endpoint::{Endpoint, EndpointError};
