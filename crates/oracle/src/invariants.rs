//! One file per invariant of the design.

pub(crate) mod durability;
pub(crate) mod iterators;
pub(crate) mod numbers;
pub(crate) mod phantoms;
pub(crate) mod reads;
pub(crate) mod retention;

use types::SequenceNumber;

use crate::facts::{Facts, FinalRead, ShardFacts, Sighting};
use crate::{ReadRecord, ShardRef};

/// What was known to be committed before a complete read began, may not be trimmed before it ended, and isn't in it.
fn missing<'a>(
    facts: &'a Facts<'_>,
    shard: &'a ShardRef,
    seen: &'a ShardFacts<'_>,
    read: &FinalRead<'_>,
) -> impl Iterator<Item = (SequenceNumber, &'a Sighting)> {
    let mut found: Vec<SequenceNumber> = read.records.iter().map(|record: &ReadRecord| record.number).collect();
    found.sort();
    let (started_at, ended_at) = (read.started_at, read.at);
    seen.log.iter().map(|(number, sighting)| (*number, sighting)).filter(move |(number, sighting)| {
        sighting.seen_at <= started_at
            && found.binary_search(number).is_err()
            && !facts.may_be_gone(shard, *number, sighting.payload, ended_at)
    })
}
