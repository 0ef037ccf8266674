//! `thalweg bench`: load over the public API, measured from the client's side, and a check that what was acknowledged is there.
//!
//! It shares the machine with the server it measures, so it spends little itself: one connection per request in flight, bodies built
//! once and patched, replies scanned and not built.

mod args;
mod batch;
mod bitmap;
mod check;
mod client;
mod control;
mod counters;
mod error;
mod gaps;
mod get;
mod latency;
mod payload;
mod progress;
mod put;
mod report;
mod shard_reader;
mod syncs;

use std::process::ExitCode;

pub(crate) use args::BenchArgs;
use args::BenchKind;
pub(crate) use check::{Audit, Findings, Ledger, run as check};
pub(crate) use client::{CallError, Client};
pub(crate) use control::{Stream, read};
pub(crate) use error::BenchError;
pub(crate) use latency::Latency;
pub(crate) use payload::{Payload, RecordId, Verdict};
use report::Report;

use crate::Outcome;

/// Runs the bench, prints its report as one line of JSON.
pub(crate) fn run(args: BenchArgs) -> Outcome {
    let ran = env::real::run(async {
        // The bench has no files.
        let env = env::real::env(std::env::temp_dir());
        match args.kind {
            BenchKind::Put => put::run(&env, &args).await,
            BenchKind::Get => get::run(&env, &args).await,
        }
    });
    let report: Result<Report, BenchError> = ran.map_err(|error| error.to_string())?;
    let report = report.map_err(|error| error.to_string())?;
    println!("{}", serde_json::to_string(&report).map_err(|error| error.to_string())?);
    if let Some(what) = report.failure() {
        return Err(what);
    }
    Ok(ExitCode::SUCCESS)
}
