use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies in microseconds, to three digits.
pub(crate) struct Latency(Histogram<u64>);

impl Latency {
    pub(crate) fn new() -> Self {
        // Three digits are always allowed, and the histogram grows by itself.
        #[allow(clippy::unwrap_used, reason = "0 to 5 digits are allowed")]
        Self(Histogram::new(3).unwrap())
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add(&mut self, other: &Latency) {
        // An auto-resizing histogram takes every other one of the same digits.
        let added = self.0.add(&other.0);
        debug_assert!(added.is_ok());
    }

    /// The latency in milliseconds that a share of all requests doesn't exceed.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1000.0
    }
}
