use std::time::Duration;

/// Times and bounds of the groups of one node.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often each pair of nodes tells each other that they are alive. Default 200 ms: a handful of wake-ups a second, whatever
    /// the number of groups.
    pub pulse_interval: Duration,
    /// A node from which nothing has been heard for so long is taken for dead, and its groups elect other leaders. Default 1 s: five
    /// pulses, beyond a busy machine's pauses.
    pub dead_after: Duration,
    /// A leader serves for so long after a quorum is known to have heard it. Default 800 ms; must be shorter than `dead_after`, until
    /// when nobody who has heard the leader votes for another.
    pub lease: Duration,
    /// The elections of a dead node's groups begin within this time, each at a random moment, so that two candidates seldom meet and
    /// groups don't stampede. Default 300 ms, and `election_spread_each` for each group that has to elect.
    pub election_spread: Duration,
    /// Default 200 µs: what one election costs three nodes that share two cores.
    pub election_spread_each: Duration,
    /// A campaign that has brought no leader is repeated after this time, and up to as much again by chance. Default 500 ms.
    pub election_retry: Duration,
    /// How long a vote, a transfer or a question may take. Default 1 s.
    pub call_deadline: Duration,
    /// How long entries or a snapshot may take until they count as lost. Default 5 s: a follower's disk may be busy for long.
    pub append_deadline: Duration,
    /// Messages with entries on their way to one replica at once, each of about 1 MiB at most or one entry. Default 8.
    pub appends_in_flight: usize,
    /// Every so many pulses a node asks the others whether they still lead what it follows. Default 5: once a second.
    pub pulses_per_audit: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pulse_interval: Duration::from_millis(200),
            dead_after: Duration::from_secs(1),
            lease: Duration::from_millis(800),
            election_spread: Duration::from_millis(300),
            election_spread_each: Duration::from_micros(200),
            election_retry: Duration::from_millis(500),
            call_deadline: Duration::from_secs(1),
            append_deadline: Duration::from_secs(5),
            appends_in_flight: 8,
            pulses_per_audit: 5,
        }
    }
}
