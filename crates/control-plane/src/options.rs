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
    /// Replicas that each shard of a new stream has. Default 1; in clusters 3.
    pub replication: u8,
    /// How often the catalog's leader asks all nodes how they stand. Default 1 s.
    pub round_interval: Duration,
    /// The same while streams are being created or deleted, or replicas move. Default 50 ms: who creates a stream waits.
    pub waiting_interval: Duration,
    /// A node that has been silent for so long is replaced: its replicas are made anew on others. Default 5 minutes: a restart, or a
    /// move to another machine with its disk, takes less, and copying takes longer.
    pub lost_after: Duration,
    /// Changes of replicas under way at once, in the whole cluster. Default 4: each copies a shard's records.
    pub changes_at_once: usize,
    /// Leaders moved in one round, those of draining nodes excepted. Default 16.
    pub transfers_at_once: usize,
    /// How long a change of replicas may take until it is begun anew. Default 60 s.
    pub change_deadline: Duration,
    /// How long a controller waits before it tries again what failed. Default 1 s.
    pub retry_interval: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            deadline: Duration::from_secs(10),
            compact_after: 1_000,
            actions_at_once: 16,
            replication: 1,
            round_interval: Duration::from_secs(1),
            waiting_interval: Duration::from_millis(50),
            lost_after: Duration::from_secs(300),
            changes_at_once: 4,
            transfers_at_once: 16,
            change_deadline: Duration::from_secs(60),
            retry_interval: Duration::from_secs(1),
        }
    }
}
