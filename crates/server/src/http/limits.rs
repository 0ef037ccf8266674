use std::time::Duration;

/// The bounds of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Connections open at once; one more is closed as soon as it is accepted.
    pub(crate) connections_max: u32,
    /// From the end of an answer, or the beginning of a connection, to the end of the next request's head (HTTP/1.1).
    pub(crate) header_timeout: Duration,
    /// For a request's body, once its head has been read.
    pub(crate) body_timeout: Duration,
    /// For the handler.
    pub(crate) request_timeout: Duration,
    /// Bytes of one body.
    pub(crate) body_bytes_max: usize,
    /// Bytes of all bodies and large replies in memory.
    pub(crate) memory_bytes_max: usize,
    /// Requests at once on one HTTP/2 connection.
    pub(crate) streams_max: u32,
    /// Silence in both directions after which a connection is given up. Must be longer than every wait of a healthy one: for a head, or
    /// for a body and then its handler.
    pub(crate) idle_timeout: Duration,
}
