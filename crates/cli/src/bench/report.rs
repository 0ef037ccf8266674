//! What is left of a run: one line of JSON.

use std::time::Duration;

use serde::Serialize;

use super::args::BenchArgs;
use super::check::Findings;
use super::control::Stream;
use super::counters::Counters;
use super::gaps::GapReport;
use super::latency::Latency;

/// What the workers measured.
pub(crate) struct Measured {
    pub(crate) took: Duration,
    pub(crate) records: u64,
    pub(crate) errors: u64,
    pub(crate) throttled: u64,
    pub(crate) requests: u64,
    pub(crate) latency: Latency,
    /// The server's syncs meanwhile, if it was asked.
    pub(crate) syncs: Option<u64>,
    /// The shards' longest times without an acknowledgement, if they were asked for.
    pub(crate) gaps: Option<GapReport>,
}

impl Measured {
    pub(crate) fn new(took: Duration, counters: &Counters) -> Self {
        Self {
            took,
            records: Counters::get(&counters.records),
            errors: Counters::get(&counters.errors),
            throttled: Counters::get(&counters.throttled),
            requests: 0,
            latency: Latency::new(),
            syncs: None,
            gaps: None,
        }
    }
}

/// The report.
#[derive(Serialize)]
pub(crate) struct Report {
    operation: &'static str,
    stream: String,
    shards: usize,
    record_bytes: u32,
    batch: u32,
    in_flight: u32,
    seconds: f64,
    /// Answered requests and those without answer.
    requests: u64,
    /// put: acknowledged; get: read.
    records: u64,
    records_per_s: f64,
    /// Of data, in 10^6 bytes.
    mb_per_s: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    /// Requests without answer, or refused for another reason than throttling.
    errors: u64,
    /// put: records; get: requests.
    throttled: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    syncs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records_per_sync: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard_gaps: Option<GapReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Findings>,
}

impl Report {
    pub(crate) fn new(
        operation: &'static str,
        args: &BenchArgs,
        stream: &Stream,
        measured: Measured,
        check: Option<Findings>,
    ) -> Self {
        let seconds = measured.took.as_secs_f64();
        let per_second = |amount: f64| round(amount / seconds.max(f64::MIN_POSITIVE));
        let records = measured.records as f64;
        Self {
            operation,
            stream: stream.name.clone(),
            shards: stream.shards.len(),
            record_bytes: args.record_bytes,
            batch: args.batch,
            in_flight: args.in_flight,
            seconds: round(seconds),
            requests: measured.requests,
            records: measured.records,
            records_per_s: per_second(records),
            mb_per_s: per_second(records * f64::from(args.record_bytes) / 1e6),
            p50_ms: measured.latency.quantile_ms(0.5),
            p90_ms: measured.latency.quantile_ms(0.9),
            p99_ms: measured.latency.quantile_ms(0.99),
            p999_ms: measured.latency.quantile_ms(0.999),
            errors: measured.errors,
            throttled: measured.throttled,
            syncs: measured.syncs,
            records_per_sync: measured.syncs.filter(|syncs| *syncs > 0).map(|syncs| round(records / syncs as f64)),
            shard_gaps: measured.gaps,
            check,
        }
    }

    /// What is wrong with the server, if anything is.
    pub(crate) fn failure(&self) -> Option<String> {
        if let Some(check) = self.check.as_ref().filter(|check| !check.is_sound()) {
            let Findings { lost, duplicated, corrupted, phantoms, .. } = check;
            return Some(format!(
                "the check failed: {lost} acknowledged records lost, {duplicated} duplicated, {corrupted} corrupted, {phantoms} never sent"
            ));
        }
        (self.records == 0)
            .then(|| format!("no record went through: {} errors, {} throttled", self.errors, self.throttled))
    }
}

/// To three digits after the point.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
