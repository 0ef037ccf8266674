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
        // It grows as needed, so that there is no latency it can't hold.
        let recorded = self.0.record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        debug_assert!(recorded.is_ok());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_all_latencies_that_were_recorded_or_added() {
        let (mut all, mut other) = (Latency::new(), Latency::new());
        (1..=50).for_each(|ms| all.record(Duration::from_millis(ms)));
        (51..=100).for_each(|ms| other.record(Duration::from_millis(ms)));
        all.add(&other);
        assert!((all.quantile_ms(0.5) - 50.0).abs() < 0.1);
        assert!((all.quantile_ms(0.99) - 99.0).abs() < 0.1);
    }
}
