//! Under construction (temporary: data-plane's author replaces all of this; the field names that the journal uses are kept).
#![allow(missing_docs)]
use std::sync::Arc;
pub use prometheus::{Gauge, Histogram, IntCounter, IntGauge};
#[derive(Clone)]
pub struct Telemetry(Arc<Metrics>);
impl std::ops::Deref for Telemetry { type Target = Metrics; fn deref(&self) -> &Metrics { &self.0 } }
macro_rules! metrics { ($($c:ident)*; $($g:ident)*; $($f:ident)*; $($h:ident)*) => {
pub struct Metrics { $(pub $c: IntCounter,)* $(pub $g: IntGauge,)* $(pub $f: Gauge,)* $(pub $h: Histogram,)* }
impl Telemetry { #[allow(clippy::new_without_default, clippy::unwrap_used)] pub fn new() -> Self { Self(Arc::new(Metrics {
 $($c: IntCounter::new(stringify!($c), "x").unwrap(),)* $($g: IntGauge::new(stringify!($g), "x").unwrap(),)* $($f: Gauge::new(stringify!($f), "x").unwrap(),)*
 $($h: Histogram::with_opts(prometheus::HistogramOpts::new(stringify!($h), "x")).unwrap(),)* })) } }
}}
metrics!(journal_syncs journal_blocks journal_frames journal_written_bytes flushes; tail_bytes unflushed_bytes segments segment_bytes disk_free_bytes groups_damaged; recovery_seconds; journal_sync_seconds);
