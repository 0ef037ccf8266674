use std::time::Duration;

use env::Env;
use parking_lot::Mutex;
use types::TimestampMs;
use types::planted::{self, Bug};

use crate::wall_history::WallHistory;

const HOUR_MS: u64 = 3_600_000;

/// The node's clock for arrival times and retention: every reading is remembered, see [`crate::wall_history`].
pub(crate) struct NodeClock {
    env: Env,
    started: Duration,
    history: Mutex<WallHistory>,
}

impl NodeClock {
    pub(crate) fn new(env: Env) -> NodeClock {
        let started = env.clock.monotonic();
        let clock = NodeClock { env, started, history: Mutex::default() };
        clock.now();
        clock
    }

    /// Now by the wall clock. Arrival times come from here and nowhere else.
    pub(crate) fn now(&self) -> TimestampMs {
        // Both clocks are read under the lock, so that the history sees them in order.
        let mut history = self.history.lock();
        let wall = self.env.clock.unix_ms();
        history.observe(millis(self.env.clock.monotonic()), i64::try_from(wall).unwrap_or(i64::MAX));
        TimestampMs(wall)
    }

    /// Monotonic time, for limits.
    pub(crate) fn monotonic(&self) -> Duration {
        self.env.clock.monotonic()
    }

    /// How long this process has had its eye on the clocks.
    pub(crate) fn uptime(&self) -> Duration {
        self.monotonic().saturating_sub(self.started)
    }

    /// Records that arrived before this time have passed a retention.
    pub(crate) fn expired_before(&self, retention_ms: u64) -> TimestampMs {
        self.now();
        let now_ms = millis(self.env.clock.monotonic());
        let retention_ms = i64::try_from(retention_ms).unwrap_or(i64::MAX);
        let before = self.history.lock().expired_before(now_ms, retention_ms);
        // One that was planted, so that the simulation proves that it would find it.
        if planted::active(Bug::EarlyTrim) { TimestampMs(before + HOUR_MS) } else { TimestampMs(before) }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
