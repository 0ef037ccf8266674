use crate::Kind;

/// What a metric counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things; the name says which, in the plural.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// The word in metric names and in the reference; empty for counts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Unit::Count => "",
            Unit::Bytes => "bytes",
            Unit::Seconds => "seconds",
        }
    }
}

/// What is declared of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// The name in Prometheus.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// What it counts in.
    pub unit: Unit,
    /// What it means, in one or two sentences.
    pub help: &'static str,
    /// The labels; none for most.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets, in the metric's unit; none for other kinds.
    pub buckets: &'static [f64],
}
