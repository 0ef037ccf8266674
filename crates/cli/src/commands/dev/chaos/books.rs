//! What the clients of a run have sent, seen and suffered.

use std::fmt;
use std::time::Duration;

use super::gaps::Gaps;
use super::quantiles;
use crate::bench::{Audit, Latency, Ledger, Payload, RecordId, Verdict};

pub(super) struct Books {
    pub(super) audit: Audit,
    gaps: Gaps,
    /// The longest wait of each shard after each kill.
    waits: Latency,
    /// Calls that failed although they were tried again.
    errors: u64,
    errors_before_kill: u64,
    /// Calls that were tried again.
    retries: u64,
    /// The newest number that was read of each shard.
    read: Vec<Option<u64>>,
    /// Records read behind a later one of their writer, though sent once.
    misplaced: u64,
}

/// What clients noticed of a kill.
pub(super) struct Noticed {
    longest: Duration,
    errors: u64,
    acknowledged: u64,
    verified: u64,
}

impl Books {
    /// Of a run with one writer for each of `shards`.
    pub(super) fn new(payload: Payload, shards: usize, now: Duration) -> Self {
        Self {
            audit: Audit::new(payload, vec![Ledger::default(); shards]),
            gaps: Gaps::new(shards, now),
            waits: Latency::new(),
            errors: 0,
            errors_before_kill: 0,
            retries: 0,
            read: vec![None; shards],
            misplaced: 0,
        }
    }

    /// The number of the next record for a shard, which is about to be sent.
    pub(super) fn send(&mut self, shard: usize) -> u64 {
        let ledger = &mut self.audit.ledgers[shard];
        ledger.sent += 1;
        ledger.sent - 1
    }

    /// A record is about to be sent again, or its writer has given it up and it may still arrive.
    pub(super) fn repeat(&mut self, shard: usize, number: u64) {
        self.audit.ledgers[shard].repeated.insert(number);
    }

    pub(super) fn acknowledge(&mut self, shard: usize, number: u64, now: Duration) {
        self.audit.ledgers[shard].acknowledged.insert(number);
        self.gaps.acknowledged(shard, now);
    }

    pub(super) fn retried(&mut self) {
        self.retries += 1;
    }

    /// A call has failed for good.
    pub(super) fn failed(&mut self) {
        self.errors += 1;
    }

    /// A record was read, as the next one of its shard.
    pub(super) fn note(&mut self, data: &[u8]) {
        let Verdict::Ours(RecordId { worker, number }) = self.audit.record(data) else { return };
        let shard = usize::from(worker);
        let Some(newest) = self.read.get_mut(shard) else { return };
        let may_come_late = self.audit.ledgers[shard].repeated.contains(number);
        if newest.is_some_and(|newest| number < newest) && !may_come_late {
            self.misplaced += 1;
        }
        *newest = (*newest).max(Some(number));
    }

    pub(super) fn begin_kill(&mut self) {
        self.gaps.begin();
        self.errors_before_kill = self.errors;
    }

    pub(super) fn end_kill(&mut self, now: Duration) -> Noticed {
        let mut longest = Duration::ZERO;
        for wait in self.gaps.longest(now) {
            self.waits.record(wait);
            longest = longest.max(wait);
        }
        let findings = self.audit.findings();
        Noticed {
            longest,
            errors: self.errors - self.errors_before_kill,
            acknowledged: findings.acknowledged,
            verified: findings.read,
        }
    }

    /// What readers saw that must not be; what they have not seen yet, the last check finds.
    pub(super) fn wrong(&self) -> Option<String> {
        let findings = self.audit.findings();
        let wrong = [
            (findings.corrupted, "corrupted"),
            (findings.duplicated, "repeated without a retry"),
            (findings.phantoms, "never sent"),
            (self.misplaced, "out of order"),
        ];
        let named = wrong.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let named = named.collect::<Vec<_>>().join(", ");
        (!named.is_empty()).then_some(named)
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let findings = self.audit.findings();
        write!(
            f,
            "{} records acknowledged, {} read meanwhile, {} out of order; {} calls tried again, {} failed after all retries; \
             gap of acknowledged writes per shard and kill: {}",
            findings.acknowledged,
            findings.read,
            self.misplaced,
            self.retries,
            self.errors,
            quantiles(&self.waits)
        )
    }
}

impl fmt::Display for Noticed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { longest, errors, acknowledged, verified } = self;
        let longest = longest.as_millis();
        write!(
            f,
            "longest gap of acknowledged writes {longest} ms, {errors} errors after retries, \
             {acknowledged} records acknowledged so far, {verified} verified so far"
        )
    }
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;

    use super::*;

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    fn books() -> (Books, impl Fn(u64) -> Vec<u8>) {
        let payload = Payload::new(1, 50);
        let data = {
            let payload = payload.clone();
            move |number| STANDARD.decode_to_vec(payload.base64(RecordId { worker: 0, number })).unwrap()
        };
        (Books::new(payload, 1, ms(0)), data)
    }

    #[test]
    fn what_is_read_in_order_is_fine_and_so_is_what_was_sent_twice() {
        let (mut books, data) = books();
        for now in 0..3 {
            let number = books.send(0);
            books.acknowledge(0, number, ms(now));
        }
        books.repeat(0, 1);
        [0, 1, 2, 1].iter().for_each(|number| books.note(&data(*number)));
        assert_eq!(books.wrong(), None);
        let noticed = books.end_kill(ms(102));
        assert_eq!((noticed.longest, noticed.acknowledged, noticed.verified), (ms(100), 3, 3));
    }

    #[test]
    fn what_comes_late_twice_or_out_of_nowhere_is_named() {
        let (mut books, data) = books();
        (0..3).for_each(|_| _ = books.send(0));
        [0, 2, 1, 1, 7].iter().for_each(|number| books.note(&data(*number)));
        assert_eq!(books.wrong().unwrap(), "1 repeated without a retry, 1 never sent, 2 out of order");
    }

    #[test]
    fn errors_are_counted_from_kill_to_kill() {
        let (mut books, _) = books();
        books.failed();
        books.begin_kill();
        books.failed();
        assert_eq!(books.end_kill(ms(1)).errors, 1);
    }
}
