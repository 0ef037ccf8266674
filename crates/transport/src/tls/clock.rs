use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use env::Clock;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// The clock by which certificates begin and expire.
pub(super) struct WallClock(Arc<dyn Clock>);

impl WallClock {
    pub(super) fn of(clock: &Arc<dyn Clock>) -> Arc<dyn TimeProvider> {
        Arc::new(Self(Arc::clone(clock)))
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.unix_ms())))
    }
}
