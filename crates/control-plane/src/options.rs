use std::time::Duration;

/// Bounds of the control plane.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a command may take until it counts as unknown, and how long the catalog's group may take to come up. Default 10 s:
    /// one sync takes milliseconds, so that only a stuck disk gets there; below the 60 s after which clients give up.
    pub deadline: Duration,
    /// The catalog's log is compacted after so many entries. Default 1,000: a snapshot writes the whole state, some 100 bytes a
    /// shard, so that it costs no more than the entries it replaces for clusters of up to a few thousand shards.
    pub compact_after: u64,
    /// Shards opened, and commands of the controllers in flight, at once. Default 16: enough to share syncs between groups,
    /// few enough that a start with thousands of shards doesn't hold all their election state at once.
    pub actions_at_once: usize,
    /// How long a controller waits before it tries again what failed. Default 1 s.
    pub retry_interval: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            deadline: Duration::from_secs(10),
            compact_after: 1_000,
            actions_at_once: 16,
            retry_interval: Duration::from_secs(1),
        }
    }
}
