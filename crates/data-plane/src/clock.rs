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
        self.observe(&mut self.history.lock()).0
    }

    /// Reads both clocks; the history is locked, so that it sees them in order.
    fn observe(&self, history: &mut WallHistory) -> (TimestampMs, i64) {
        let wall = self.env.clock.unix_ms();
        let monotonic_ms = i64::try_from(self.env.clock.monotonic().as_millis()).unwrap_or(i64::MAX);
        history.observe(monotonic_ms, i64::try_from(wall).unwrap_or(i64::MAX));
        (TimestampMs(wall), monotonic_ms)
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
        let mut history = self.history.lock();
        let (_, now_ms) = self.observe(&mut history);
        let before = history.expired_before(now_ms, i64::try_from(retention_ms).unwrap_or(i64::MAX));
        // Planted, so that the simulation proves that it would find it.
        if planted::active(Bug::EarlyTrim) { TimestampMs(before + HOUR_MS) } else { TimestampMs(before) }
    }
}
