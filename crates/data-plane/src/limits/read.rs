use std::time::Duration;

use types::limits::SHARD_READ_PAUSE_SEC_MAX;

use super::ShardLimits;
use super::bucket::Bucket;

/// A shard's read limit. How much a read gives is known only afterwards, so it is charged then.
///
/// A read of more than a second's worth is followed by a pause that pays for it in full: after 10 MiB at 2 MiB/s nothing is read
/// for 5 s (API reference, GetRecords). Smaller ones draw on the bucket.
#[derive(Debug)]
pub(crate) struct ReadLimiter {
    calls: Option<Bucket>,
    bytes: Option<Bucket>,
    paused_until: Duration,
}

impl ReadLimiter {
    pub(crate) fn new(limits: &ShardLimits, now: Duration) -> ReadLimiter {
        ReadLimiter {
            calls: limits.read_calls_per_sec.map(|rate| Bucket::new(rate, now)),
            bytes: limits.read_bytes_per_sec.map(|rate| Bucket::new(rate, now)),
            paused_until: now,
        }
    }

    /// Whether a read may begin now. If so it counts as a call.
    pub(crate) fn begin(&mut self, now: Duration) -> bool {
        self.calls.iter_mut().chain(&mut self.bytes).for_each(|bucket| bucket.refill(now));
        let begins = now >= self.paused_until
            && self.calls.as_ref().is_none_or(|bucket| bucket.has(1))
            && self.bytes.as_ref().is_none_or(Bucket::is_positive);
        if begins {
            self.calls.iter_mut().for_each(|bucket| bucket.take(1));
        }
        begins
    }

    /// Charges for what a read gave.
    pub(crate) fn end(&mut self, now: Duration, bytes: u64) {
        let Some(bucket) = &mut self.bytes else { return };
        bucket.refill(now);
        bucket.take(bytes);
        bucket.forgive(SHARD_READ_PAUSE_SEC_MAX);
        let per_sec = bucket.per_sec().get();
        if bytes > per_sec {
            let pause = Duration::from_secs_f64(bytes as f64 / per_sec as f64);
            self.paused_until = self.paused_until.max(now + pause.min(Duration::from_secs(SHARD_READ_PAUSE_SEC_MAX)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::num::NonZeroU64;

    const MIB: u64 = 1 << 20;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn five_calls_a_second_and_not_one_more() {
        let mut limiter = ReadLimiter::new(&ShardLimits::aws(), Duration::ZERO);
        let begun = [0, 0, 10, 20, 30, 40, 190, 201, 202, 400].map(|ms| limiter.begin(at(ms)));
        assert_eq!(begun, [true, true, true, true, true, false, false, true, false, true]);
    }

    #[test]
    fn after_ten_mebibytes_nothing_is_read_for_five_seconds() {
        let mut limiter = ReadLimiter::new(&ShardLimits::aws(), Duration::ZERO);
        assert!(limiter.begin(at(0)));
        limiter.end(at(1), 10 * MIB);
        assert!(![2, 1_000, 4_999, 5_000].iter().any(|ms| limiter.begin(at(*ms))));
        assert!(limiter.begin(at(5_001)));
    }

    #[test]
    fn two_mebibytes_a_second_are_read_without_a_pause() {
        let mut limiter = ReadLimiter::new(&ShardLimits::aws(), Duration::ZERO);
        for ms in (0..20_000).step_by(500) {
            assert!(limiter.begin(at(ms)), "at {ms} ms");
            limiter.end(at(ms), MIB);
        }
    }

    #[test]
    fn a_shard_without_limits_is_read_always() {
        let mut limiter = ReadLimiter::new(&ShardLimits::off(), Duration::ZERO);
        for _ in 0..100 {
            assert!(limiter.begin(Duration::ZERO));
            limiter.end(Duration::ZERO, 10 * MIB);
        }
    }

    proptest! {
        /// One reader after the other: over any window no more than the rate, a bucket and the last read.
        #[test]
        fn no_window_gives_more_than_its_share(steps in vec((0u64..800, 0u64..1_000), 1..60), rate in 100u64..400) {
            let limits = ShardLimits { read_bytes_per_sec: NonZeroU64::new(rate), ..ShardLimits::aws() };
            let mut limiter = ReadLimiter::new(&limits, Duration::ZERO);
            let (mut now_ms, mut given) = (0, Vec::new());
            for (wait_ms, bytes) in steps {
                now_ms += wait_ms;
                // What a read gives at most is five seconds' worth.
                let bytes = bytes.min(rate * SHARD_READ_PAUSE_SEC_MAX);
                if limiter.begin(at(now_ms)) {
                    limiter.end(at(now_ms), bytes);
                    given.push((now_ms, bytes));
                }
            }
            for (from, (start, _)) in given.iter().enumerate() {
                let mut before = 0;
                for (calls, (now_ms, bytes)) in given[from..].iter().enumerate() {
                    let elapsed_ms = now_ms - start;
                    prop_assert!((calls as u64) < 5 + elapsed_ms * 5 / 1_000 + 1);
                    prop_assert!(before * 1_000 <= rate * (1_000 + elapsed_ms), "{before} before {now_ms}");
                    before += bytes;
                }
            }
        }

        #[test]
        fn whoever_waits_for_the_pause_gets_through(reads in vec(0u64..100_000, 1..10)) {
            let mut limiter = ReadLimiter::new(&ShardLimits::aws(), Duration::ZERO);
            let mut now = Duration::ZERO;
            for mebibytes in reads {
                prop_assert!(limiter.begin(now));
                limiter.end(now, mebibytes * MIB);
                now += Duration::from_millis(SHARD_READ_PAUSE_SEC_MAX * 1_000 + 1);
            }
        }
    }
}
