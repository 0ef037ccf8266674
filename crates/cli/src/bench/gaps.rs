//! How long each shard acknowledged nothing: what a client notices of the loss of a node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use types::{HashKey, HashKeyRange};

use super::latency::Latency;
use super::payload::split_mix;

/// Not yet.
const NEVER: u64 = u64::MAX;

/// The longest time without an acknowledgement, by shard.
pub(crate) struct Gaps(Vec<Shard>);

struct Shard {
    range: HashKeyRange,
    last_us: AtomicU64,
    longest_us: AtomicU64,
}

/// Over all shards.
#[derive(Debug, Serialize)]
pub(crate) struct GapReport {
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

/// The part of one worker: a shard of its own, or one that it shares with others.
pub(crate) struct Pin {
    gaps: Arc<Gaps>,
    shard: usize,
}

impl Gaps {
    /// Of a new stream of so many shards.
    pub(crate) fn new(shards: u32) -> Self {
        let shard = |range| Shard { range, last_us: AtomicU64::new(NEVER), longest_us: AtomicU64::new(0) };
        Self(HashKeyRange::even(shards).into_iter().map(shard).collect())
    }

    /// Workers take turns.
    pub(crate) fn pin(self: &Arc<Self>, worker: usize) -> Pin {
        Pin { gaps: Arc::clone(self), shard: worker % self.0.len() }
    }

    /// What they are when the load ends; until then is a gap, too.
    pub(crate) fn report(&self, now: Duration) -> GapReport {
        let mut all = Latency::new();
        for shard in &self.0 {
            shard.acknowledged(now);
            all.record(Duration::from_micros(shard.longest_us.load(Ordering::Relaxed)));
        }
        let [p50_ms, p99_ms, max_ms] = [0.5, 0.99, 1.0].map(|share| all.quantile_ms(share));
        GapReport { p50_ms, p99_ms, max_ms }
    }
}

impl Shard {
    fn acknowledged(&self, now: Duration) {
        let now = u64::try_from(now.as_micros()).unwrap_or(NEVER - 1);
        let last = self.last_us.swap(now, Ordering::Relaxed);
        if last != NEVER {
            self.longest_us.fetch_max(now.saturating_sub(last), Ordering::Relaxed);
        }
    }
}

impl Pin {
    /// The next key of the worker's sequence that falls to its shard.
    pub(crate) fn next_key(&self, keys: &mut u64) -> u64 {
        let range = self.gaps.0[self.shard].range;
        loop {
            let key = split_mix(keys);
            if range.contains(HashKey::of_partition_key(&format!("{key:016x}"))) {
                return key;
            }
        }
    }

    /// The shard has acknowledged something.
    pub(crate) fn acknowledged(&self, now: Duration) {
        self.gaps.0[self.shard].acknowledged(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shard_has_the_longest_time_without_an_acknowledgement_until_the_end() {
        let gaps = Arc::new(Gaps::new(2));
        let at = Duration::from_millis;
        let [first, other, again] = [0, 1, 2].map(|worker| gaps.pin(worker));
        first.acknowledged(at(100));
        again.acknowledged(at(350));
        first.acknowledged(at(400));
        other.acknowledged(at(390));
        let report = gaps.report(at(410));
        assert!((report.p50_ms - 20.0).abs() < 0.1 && (report.max_ms - 250.0).abs() < 0.5, "{report:?}");
        assert!((gaps.report(at(2_410)).max_ms - 2_000.0).abs() < 2.0);
    }

    #[test]
    fn keys_fall_to_the_workers_shard() {
        let gaps = Arc::new(Gaps::new(5));
        let mut keys = 7;
        for worker in 0..10 {
            let key = gaps.pin(worker).next_key(&mut keys);
            let hash = HashKey::of_partition_key(&format!("{key:016x}"));
            assert!(HashKeyRange::even(5)[worker % 5].contains(hash));
        }
    }
}
