//! 8: retention never trims early, and does trim.

use crate::facts::{Facts, FinalRead, ShardFacts};
use crate::invariant::Report;
use crate::{Invariant, ReadRecord, ShardRef};

pub(crate) fn check(facts: &Facts<'_>, shard: &ShardRef, seen: &ShardFacts<'_>, report: &mut Report) {
    for read in &seen.finals {
        check_early(facts, shard, seen, read, report);
        read.records.iter().for_each(|record| check_late(facts, shard, seen, record, read.started_at, report));
    }
    for (record, at) in seen.chains.iter().flat_map(|chain| &chain.records) {
        check_late(facts, shard, seen, record, *at, report);
    }
}

/// What is missing before the first record that is there was trimmed, and too early. It breaks invariant 1 (or 5) as well.
fn check_early(facts: &Facts<'_>, shard: &ShardRef, seen: &ShardFacts<'_>, read: &FinalRead<'_>, report: &mut Report) {
    let Some(horizon) = read.records.iter().map(|record| record.number).min() else { return };
    for (number, _) in super::missing(facts, shard, seen, read).take_while(|(number, _)| *number < horizon) {
        report.add(Invariant::Retention, Some(shard), || format!("{number:?} was trimmed early, by {}", read.at));
    }
}

/// The start of a complete read is compared, not its end, since each record may have come at once. A single read has
/// no earlier time than its reply: the grace covers its deadline.
fn check_late(
    facts: &Facts<'_>,
    shard: &ShardRef,
    seen: &ShardFacts<'_>,
    record: &ReadRecord,
    at: u64,
    report: &mut Report,
) {
    let seen_at = seen.log.get(&record.number).map_or(at, |sighting| sighting.seen_at);
    if facts.must_be_gone(shard, record.number, seen_at, at) {
        report.add(Invariant::Retention, Some(shard), || format!("{:?} was still there at {at}", record.number));
    }
}
