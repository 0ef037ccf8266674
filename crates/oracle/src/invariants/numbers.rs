//! 2: one payload per sequence number, everywhere; strictly increasing, never reused.

use types::SequenceNumber;

use crate::facts::{Ack, Facts, ShardFacts};
use crate::invariant::Report;
use crate::{Invariant, ShardRef};

pub(crate) fn check(facts: &Facts<'_>, shard: &ShardRef, seen: &ShardFacts<'_>, report: &mut Report) {
    for (number, sighting) in &seen.log {
        if let Some(other) = sighting.other {
            report.add(Invariant::Numbers, Some(shard), || {
                format!("{number:?} was seen with {:?} and with {other:?}", sighting.payload)
            });
        }
        if number.shard() != shard.shard {
            report.add(Invariant::Numbers, Some(shard), || format!("{number:?} is another shard's"));
        }
    }
    for read in &seen.finals {
        for pair in read.records.windows(2).filter(|pair| pair[0].number >= pair[1].number) {
            report.add(Invariant::Numbers, Some(shard), || {
                format!("{:?} follows {:?} in a complete read", pair[1].number, pair[0].number)
            });
        }
    }
    check_real_time(facts, shard, &seen.acks, report);
}

/// A put that began after another one was acknowledged has the greater number.
fn check_real_time(facts: &Facts<'_>, shard: &ShardRef, acks: &[Ack], report: &mut Report) {
    let mut ended: Vec<Ack> = acks.to_vec();
    ended.sort_by_key(|ack| ack.at);
    let begun_at = |ack: &Ack| facts.attempts.get(&ack.payload).map(|attempts| attempts.first_at);
    let mut begun: Vec<(u64, Ack)> = acks.iter().filter_map(|ack| Some((begun_at(ack)?, *ack))).collect();
    begun.sort_by_key(|(at, _)| *at);
    let mut ended = ended.into_iter().peekable();
    let mut greatest: Option<SequenceNumber> = None;
    for (at, ack) in begun {
        while let Some(before) = ended.next_if(|before| before.at < at) {
            greatest = greatest.max(Some(before.number));
        }
        if greatest.is_some_and(|greatest| ack.number <= greatest) {
            report.add(Invariant::Numbers, Some(shard), || {
                format!("{:?} was given at {at} or later, when {greatest:?} was acknowledged already", ack.number)
            });
        }
    }
}
