use std::time::Duration;

/// Bounds of the transport. Bytes are counted as heads and bodies together.
#[derive(Clone, Debug)]
pub struct Options {
    /// For connecting, TLS and the handshake together, on both sides. Sized so that a few lost packets of a slow link fit.
    pub handshake_deadline: Duration,
    /// How long calls wait for a connection that is being made for the first time, or again after it was lost. Past that they fail at
    /// once, while the attempt goes on: so a peer whose machine is gone costs each call no more than this.
    pub connect_wait: Duration,
    /// Pause after the first failed attempt to connect. Each further one doubles it.
    pub backoff_min: Duration,
    /// The longest pause: how long a peer that is back may go unnoticed. Jitter takes up to half of a pause.
    pub backoff_max: Duration,
    /// Each side of a connection writes something at least about this often; a tiny frame if there is nothing else.
    pub idle_ping: Duration,
    /// A connection on which nothing has been received for about this long is closed, and its calls fail. At least three times
    /// `idle_ping`, or healthy connections are lost.
    pub silence_max: Duration,
    /// Bytes of calls in flight on one connection, on the side that calls and on the side that is called. A larger single message
    /// passes alone. A call is in flight from when it is queued until it is answered or given up.
    pub in_flight_bytes_max: usize,
    /// Calls in flight on one connection.
    pub calls_max: usize,
    /// Bytes of one message: the largest entry of the journal must fit with its head. Up to [`Options::FRAME_BYTES_LIMIT`].
    pub frame_bytes_max: usize,
    /// Connections of [`crate::Lane::Data`] to each peer, at least 1. Groups are divided among them by their number.
    pub data_connections: u8,
    /// How often the files of [`crate::Tls`] are read again.
    pub certificates_interval: Duration,
    /// Accepted connections at once; one more is closed as soon as it is accepted. A peer has one for control and
    /// `data_connections`, briefly twice as many after it has reconnected.
    pub accepted_max: usize,
}

impl Options {
    /// No message may be larger, whatever `frame_bytes_max` says: lengths have 32 bits on the wire.
    pub const FRAME_BYTES_LIMIT: usize = 1 << 31;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            handshake_deadline: Duration::from_secs(3),
            connect_wait: Duration::from_millis(500),
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(1),
            idle_ping: Duration::from_secs(1),
            silence_max: Duration::from_secs(5),
            in_flight_bytes_max: 128 << 20,
            calls_max: 4096,
            frame_bytes_max: 80 << 20,
            data_connections: 1,
            certificates_interval: Duration::from_secs(60),
            accepted_max: 1024,
        }
    }
}
