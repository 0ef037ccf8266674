use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{BoxFuture, Clock};

/// The machine's clocks.
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// Starts the monotonic clock at zero.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealClock {
    fn unix_ms(&self) -> u64 {
        // A machine set to a time before 1970 reads as 1970: the wall clock is only ever a hint.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // An async block, since `sleep` itself already needs the runtime of the thread that polls it.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}
