//! 5: reads see only committed records, and one reader never goes backwards.

use std::collections::BTreeSet;

use types::SequenceNumber;

use crate::facts::{Chain, Facts, ShardFacts};
use crate::invariant::Report;
use crate::{Invariant, ShardRef};

pub(crate) fn check(facts: &Facts<'_>, shard: &ShardRef, seen: &ShardFacts<'_>, report: &mut Report) {
    for chain in &seen.chains {
        check_direction(shard, chain, report);
    }
    // Acknowledged ones are invariant 1's; what only a reader has seen must have been committed all the same.
    for read in &seen.finals {
        let vanished = super::missing(facts, shard, seen, read);
        let only_read = |at: Option<u64>| at.is_none_or(|at| at > read.started_at);
        for (number, sighting) in vanished.filter(|(_, sighting)| only_read(sighting.acked_at)) {
            report.add(Invariant::Reads, Some(shard), || {
                format!("{number:?} with {:?} was read and is gone at {}", sighting.payload, read.at)
            });
        }
    }
}

/// Going back to a record that came before in the chain is a repeat, invariant 6's; going back to a new one is this.
fn check_direction(shard: &ShardRef, chain: &Chain, report: &mut Report) {
    let mut greatest: Option<SequenceNumber> = None;
    let mut before = BTreeSet::new();
    for (record, at) in &chain.records {
        let is_new = before.insert(record.number);
        if is_new && greatest.is_some_and(|greatest| record.number < greatest) {
            report.add(Invariant::Reads, Some(shard), || {
                format!("{:?} got {:?} after {greatest:?} at {at}", chain.reader, record.number)
            });
        }
        greatest = greatest.max(Some(record.number));
    }
}
