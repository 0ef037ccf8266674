//! How long writers had to wait: the time from one acknowledgement of a shard to its next.

use std::time::Duration;

/// The waits of all shards since the last kill. Times are those of one monotonic clock.
#[derive(Debug)]
pub(super) struct Gaps {
    shards: Vec<Gap>,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    acknowledged: Duration,
    longest: Duration,
}

impl Gaps {
    pub(super) fn new(shards: usize, now: Duration) -> Self {
        Self { shards: vec![Gap { acknowledged: now, longest: Duration::ZERO }; shards] }
    }

    /// A record of a shard was acknowledged.
    pub(super) fn acknowledged(&mut self, shard: usize, now: Duration) {
        let gap = &mut self.shards[shard];
        gap.longest = gap.longest.max(now.saturating_sub(gap.acknowledged));
        gap.acknowledged = now;
    }

    /// Forgets the waits that are over. Those that go on are measured from their beginning.
    pub(super) fn begin(&mut self) {
        self.shards.iter_mut().for_each(|gap| gap.longest = Duration::ZERO);
    }

    /// The longest wait of each shard, those that go on included.
    pub(super) fn longest(&self, now: Duration) -> impl Iterator<Item = Duration> {
        self.shards.iter().map(move |gap| gap.longest.max(now.saturating_sub(gap.acknowledged)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn the_longest_wait_of_each_shard_is_that_since_the_last_kill() {
        let mut gaps = Gaps::new(2, ms(0));
        gaps.acknowledged(0, ms(500));
        gaps.begin();
        for now in [510, 530, 540] {
            gaps.acknowledged(0, ms(now));
        }
        // The second shard has waited since its beginning, and still does.
        assert_eq!(gaps.longest(ms(545)).collect::<Vec<_>>(), [ms(20), ms(545)]);
        gaps.acknowledged(1, ms(600));
        assert_eq!(gaps.longest(ms(600)).collect::<Vec<_>>(), [ms(60), ms(600)]);
    }
}
