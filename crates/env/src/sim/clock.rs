use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::{BoxFuture, Clock};

/// A node's clocks in virtual time. Clones share the skew and the leaps, so that the simulation keeps one to turn
/// the node's wall clock.
///
/// Inside a turmoil host time is that of the simulation, over restarts of the host; elsewhere it is tokio's, from the making of the
/// clock on. tokio's timers, and so [`Clock::sleep`], are exact to a millisecond and round up.
#[derive(Clone)]
pub struct SimClock {
    base_unix_ms: u64,
    skew_ms: Arc<AtomicI64>,
    leapt_ms: Arc<AtomicU64>,
    start: Instant,
}

impl SimClock {
    /// A clock whose wall time is `base_unix_ms` when the simulation begins.
    pub fn new(base_unix_ms: u64) -> Self {
        Self { base_unix_ms, skew_ms: Arc::default(), leapt_ms: Arc::default(), start: Instant::now() }
    }

    /// Sets how far the wall clock is ahead of the true time, in milliseconds.
    pub fn set_skew_ms(&self, skew_ms: i64) {
        self.skew_ms.store(skew_ms, Ordering::Relaxed);
    }

    /// Moves the wall clock by `by_ms`, forwards or backwards.
    pub fn jump_ms(&self, by_ms: i64) {
        self.skew_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// Lets `by_ms` of true time pass at once: both clocks move, while timers that are running fire as late as if the machine had
    /// been frozen meanwhile. So a simulation passes hours without simulating each of their milliseconds.
    pub fn leap_ms(&self, by_ms: u64) {
        self.leapt_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// The true time, in milliseconds since the Unix epoch: what the wall clock shows without its skew.
    pub fn true_unix_ms(&self) -> u64 {
        let elapsed_ms = u64::try_from(self.monotonic().as_millis()).unwrap_or(u64::MAX);
        self.base_unix_ms.saturating_add(elapsed_ms)
    }

    /// How far the wall clock is ahead of the true time, in milliseconds.
    pub fn skew_ms(&self) -> i64 {
        self.skew_ms.load(Ordering::Relaxed)
    }
}

impl Clock for SimClock {
    fn unix_ms(&self) -> u64 {
        self.true_unix_ms().saturating_add_signed(self.skew_ms())
    }

    fn monotonic(&self) -> Duration {
        let elapsed = turmoil::sim_elapsed().unwrap_or_else(|| self.start.elapsed());
        elapsed + Duration::from_millis(self.leapt_ms.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_clocks_move_only_with_virtual_time_and_jumps_move_only_the_wall_clock() {
        let clock = SimClock::new(1_000_000);
        let world = clock.clone();
        assert_eq!((clock.unix_ms(), clock.monotonic()), (1_000_000, Duration::ZERO));

        clock.sleep(Duration::from_secs(5)).await;
        assert_eq!((clock.unix_ms(), clock.monotonic()), (1_005_000, Duration::from_secs(5)));

        world.jump_ms(-3_000);
        world.jump_ms(-1_000);
        assert_eq!((clock.unix_ms(), clock.monotonic()), (1_001_000, Duration::from_secs(5)));

        world.leap_ms(60_000);
        assert_eq!((clock.unix_ms(), clock.monotonic()), (1_061_000, Duration::from_secs(65)), "a leap moves both");
        assert_eq!(clock.true_unix_ms(), 1_065_000);

        world.set_skew_ms(i64::MIN);
        assert_eq!(clock.unix_ms(), 0, "before the epoch reads as the epoch");
    }
}
