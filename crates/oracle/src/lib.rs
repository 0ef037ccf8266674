//! Judges a history: what clients tried, what was acknowledged, what was read. Pure, so that simulation, chaos tests and
//! planted bugs are judged by the same rules.
//!
//! The harness records events in a [`History`], with its own true time in milliseconds; [`check`] compares them with the
//! invariants of the design, one file each in `invariants/`. What isn't known is never held against the service: a put
//! that failed may or may not have happened, and times are compared with their uncertainty.
//!
//! Invariants 3 (ordering on request), 7 (key space) and 9 (recovery) have their numbers but no check yet.

mod facts;
mod history;
mod invariant;
mod invariants;
mod retention;

pub use history::{ClientId, Event, History, PayloadId, ReadRecord, ReaderId, Rules, ShardRef, Start};
pub use invariant::{Invariant, VIOLATIONS_PER_INVARIANT_MAX, Violation};

use facts::Facts;
use invariant::Report;

/// Everything in a history that should not be; empty when all is well. Takes time about linear in the events (times the
/// number of complete reads per shard).
#[must_use]
pub fn check(history: &History) -> Vec<Violation> {
    let facts = Facts::of(history);
    let mut report = Report::default();
    for (shard, seen) in &facts.shards {
        invariants::durability::check(&facts, shard, seen, &mut report);
        invariants::numbers::check(&facts, shard, seen, &mut report);
        invariants::reads::check(&facts, shard, seen, &mut report);
        invariants::iterators::check(&facts, shard, seen, &mut report);
        invariants::retention::check(&facts, shard, seen, &mut report);
    }
    invariants::phantoms::check(&facts, &mut report);
    report.into_violations()
}

#[cfg(test)]
mod tests;
