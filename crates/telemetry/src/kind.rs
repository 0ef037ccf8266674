//! From a declaration to the type that counts.

use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::Declaration;

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from zero at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations in buckets.
    Histogram,
}

impl Kind {
    /// As Prometheus calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// A type of the `prometheus` crate that a declaration can become.
pub(crate) trait Handle: Collector + Clone + Sized + 'static {
    const KIND: Kind;

    fn make(declaration: &Declaration) -> prometheus::Result<Self>;

    fn register(declaration: &Declaration, registry: &Registry) -> prometheus::Result<Self> {
        let handle = Self::make(declaration)?;
        registry.register(Box::new(handle.clone()))?;
        Ok(handle)
    }
}

fn opts(declaration: &Declaration) -> Opts {
    Opts::new(declaration.name, declaration.help)
}

fn histogram_opts(declaration: &Declaration) -> HistogramOpts {
    HistogramOpts::new(declaration.name, declaration.help).buckets(declaration.buckets.to_vec())
}

macro_rules! handles {
    ($($type:ty, $kind:ident, |$declaration:ident| $make:expr;)*) => {$(
        impl Handle for $type {
            const KIND: Kind = Kind::$kind;

            fn make($declaration: &Declaration) -> prometheus::Result<Self> {
                $make
            }
        }
    )*};
}

handles! {
    IntCounter, Counter, |declaration| IntCounter::with_opts(opts(declaration));
    IntGauge, Gauge, |declaration| IntGauge::with_opts(opts(declaration));
    Gauge, Gauge, |declaration| Gauge::with_opts(opts(declaration));
    Histogram, Histogram, |declaration| Histogram::with_opts(histogram_opts(declaration));
    IntCounterVec, Counter, |declaration| IntCounterVec::new(opts(declaration), declaration.labels);
    HistogramVec, Histogram, |declaration| HistogramVec::new(histogram_opts(declaration), declaration.labels);
}
