use std::time::Duration;

use crate::BoxFuture;

/// Time. In the simulation both clocks are virtual and move only when every task waits.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch by the wall clock. It may jump in either direction: whoever needs order keeps the largest
    /// value seen.
    fn unix_ms(&self) -> u64;

    /// Time since an arbitrary point of this process' life. Never goes backwards.
    fn monotonic(&self) -> Duration;

    /// Completes after `duration` of monotonic time. Must be polled inside a runtime started by this crate.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}
