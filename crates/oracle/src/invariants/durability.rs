//! 1: every acknowledged (shard, sequence number, payload) is readable until its retention ends.

use crate::facts::{Facts, ShardFacts};
use crate::invariant::Report;
use crate::{Invariant, ShardRef};

pub(crate) fn check(facts: &Facts<'_>, shard: &ShardRef, seen: &ShardFacts<'_>, report: &mut Report) {
    if seen.finals.is_empty() && !seen.acks.is_empty() {
        let count = seen.acks.len();
        report
            .add(Invariant::Durability, Some(shard), || format!("{count} acknowledged records were never looked for"));
    }
    for read in &seen.finals {
        let lost = super::missing(facts, shard, seen, read);
        for (number, sighting) in lost.filter(|(_, sighting)| sighting.acked_at.is_some_and(|at| at <= read.started_at))
        {
            report.add(Invariant::Durability, Some(shard), || {
                format!("{number:?} with {:?} was acknowledged and is gone at {}", sighting.payload, read.at)
            });
        }
    }
}
