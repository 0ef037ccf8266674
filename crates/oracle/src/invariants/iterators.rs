//! 6: a chain of iterators neither skips nor repeats.

use std::ops::Bound;

use types::SequenceNumber;

use crate::facts::{Chain, Facts, ShardFacts, Sighting};
use crate::invariant::Report;
use crate::{Invariant, ShardRef, Start};

pub(crate) fn check(facts: &Facts<'_>, shard: &ShardRef, seen: &ShardFacts<'_>, report: &mut Report) {
    for chain in seen.chains.iter().filter(|chain| !chain.records.is_empty()) {
        let mut records: Vec<(SequenceNumber, u64)> =
            chain.records.iter().map(|(record, at)| (record.number, *at)).collect();
        records.sort();
        check_repeats(shard, chain, &records, report);
        check_skips(facts, shard, seen, chain, &records, report);
        check_start(shard, seen, chain, records[0].0, report);
    }
}

fn check_repeats(shard: &ShardRef, chain: &Chain, records: &[(SequenceNumber, u64)], report: &mut Report) {
    for pair in records.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        report.add(Invariant::Iterators, Some(shard), || {
            format!("{:?} got {:?} at {} and again at {}", chain.reader, pair[0].0, pair[0].1, pair[1].1)
        });
    }
}

/// Whatever anyone has seen between the chain's start and its last record is in it, unless it was trimmed when the chain
/// came by.
fn check_skips(
    facts: &Facts<'_>,
    shard: &ShardRef,
    seen: &ShardFacts<'_>,
    chain: &Chain,
    records: &[(SequenceNumber, u64)],
    report: &mut Report,
) {
    let (first, last) = (records[0].0, records[records.len() - 1].0);
    let mut passed = records.iter().peekable();
    for (number, sighting) in seen.log.range((Bound::Unbounded, Bound::Included(last))) {
        while passed.next_if(|(got, _)| got < number).is_some() {}
        let Some((next, at)) = passed.peek() else { break };
        let expected = *number > first || chain.must_begin_with(facts, *number, sighting);
        if next != number && expected && !facts.may_be_gone(shard, *number, sighting.payload, *at) {
            report.add(Invariant::Iterators, Some(shard), || {
                format!("{:?} got {next:?} at {at} without {number:?} before it", chain.reader)
            });
        }
    }
}

/// The first record lies where the iterator was asked to start, not before.
fn check_start(shard: &ShardRef, seen: &ShardFacts<'_>, chain: &Chain, first: SequenceNumber, report: &mut Report) {
    let sighting = seen.log.get(&first);
    let acked_at = sighting.and_then(|sighting| sighting.acked_at);
    let seen_before = sighting.is_some_and(|sighting| sighting.seen_at < chain.asked_at);
    let too_early = match chain.start {
        Start::At(number) => first < number,
        Start::After(number) => first <= number,
        // One that was still on its way to the disk may be stamped earlier and yet lie behind the iterator.
        Start::AtTimestamp(ms) => (first.arrival_sec() + 1) * 1_000 <= ms && seen_before,
        Start::Latest => acked_at.is_some_and(|at| at < chain.asked_at),
        Start::TrimHorizon | Start::Unknown => false,
    };
    if too_early {
        report.add(Invariant::Iterators, Some(shard), || {
            format!("{:?} asked to start at {:?} and got {first:?}", chain.reader, chain.start)
        });
    }
}

impl Chain {
    /// Whether a record before the first one that came should have come.
    fn must_begin_with(&self, facts: &Facts<'_>, number: SequenceNumber, sighting: &Sighting) -> bool {
        match self.start {
            Start::TrimHorizon => true,
            Start::At(start) => number >= start,
            Start::After(start) => number > start,
            Start::AtTimestamp(ms) => number.arrival_sec() * 1_000 >= ms,
            Start::Latest => {
                facts.attempts.get(&sighting.payload).is_some_and(|attempts| attempts.first_at > self.opened_at)
            }
            Start::Unknown => false,
        }
    }
}
