//! 4: every record read was put; as many copies as attempts at most, so exactly one when acknowledged at first try.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::invariant::Report;
use crate::{Invariant, PayloadId};

pub(crate) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut copies: BTreeMap<PayloadId, u32> = BTreeMap::new();
    for (shard, seen) in &facts.shards {
        for (number, sighting) in &seen.log {
            let mut phantom = |payload: PayloadId, why: &str| {
                let what = || format!("{number:?} carries {payload:?}, which {why}");
                report.add(Invariant::NoPhantoms, Some(shard), what);
            };
            for payload in [Some(sighting.payload), sighting.other].into_iter().flatten() {
                match facts.attempts.get(&payload) {
                    None => phantom(payload, "nobody put"),
                    Some(attempts) if attempts.stream != shard.stream => phantom(payload, "was put to another stream"),
                    Some(attempts) if attempts.first_at > sighting.seen_at => phantom(payload, "was put later"),
                    Some(_) => *copies.entry(payload).or_default() += 1,
                }
            }
        }
    }
    for (payload, copies) in copies {
        let attempts = facts.attempts.get(&payload).map_or(0, |attempts| attempts.count);
        if copies > attempts {
            report.add(Invariant::NoPhantoms, None, || {
                format!("{payload:?} is there {copies} times after {attempts} attempts")
            });
        }
    }
}
