//! Every metric of a node, declared once: name, unit, help.
//!
//! The table is [`metrics`](mod@metrics); a component takes a [`Telemetry`], whose fields are the metrics. Names are
//! `thalweg_<part>_<what>_<unit>`, and `_total` follows on what only grows.

mod declaration;
mod kind;
mod metrics;
mod reference;
#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

pub use declaration::{Declaration, Unit};
pub use kind::Kind;
pub use metrics::{DECLARATIONS, Metrics};
pub use prometheus::{Gauge, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge};
use prometheus::{Registry, TextEncoder};
pub use reference::reference;

/// The metrics of one node. Clones share them; each [`Telemetry::new`] begins at zero, so that tests and simulated nodes don't
/// disturb each other.
#[derive(Clone)]
pub struct Telemetry(Arc<Shared>);

struct Shared {
    registry: Registry,
    metrics: Metrics,
}

impl Telemetry {
    /// All metrics, at zero.
    ///
    /// # Panics
    /// Never: that the table is sound is tested.
    #[must_use]
    pub fn new() -> Telemetry {
        let registry = Registry::new();
        // Fails only for a bad or repeated name, which does not depend on anything at run time: each test of the table would fail.
        let metrics = Metrics::register(&registry).expect("the table of metrics is sound");
        Telemetry(Arc::new(Shared { registry, metrics }))
    }

    /// All metrics in the text format of Prometheus.
    #[must_use]
    pub fn render(&self) -> String {
        // Fails only for a metric without samples, and such a family is not gathered.
        TextEncoder::new().encode_to_string(&self.0.registry.gather()).unwrap_or_default()
    }

    /// Counts one answered request. `operation` must be one of a fixed set (an unknown target is counted as such, under one name):
    /// each value of a label costs memory for good.
    pub fn request(&self, operation: &'static str, status: u16, took: Duration) {
        // Formatted without an allocation: this is called for each request.
        let mut digits = [0; 3];
        let status = three_digits(status, &mut digits);
        self.requests.with_label_values(&[operation, status]).inc();
        self.request_seconds.with_label_values(&[operation, status]).observe(took.as_secs_f64());
    }
}

fn three_digits(status: u16, digits: &mut [u8; 3]) -> &str {
    let status = status.min(999);
    *digits = [status / 100, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8);
    std::str::from_utf8(digits).unwrap_or("999")
}

impl Default for Telemetry {
    fn default() -> Telemetry {
        Telemetry::new()
    }
}

impl Deref for Telemetry {
    type Target = Metrics;

    fn deref(&self) -> &Metrics {
        &self.0.metrics
    }
}
