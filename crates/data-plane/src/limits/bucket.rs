use std::num::NonZeroU64;
use std::time::Duration;

const NANOS_PER_SEC: i128 = 1_000_000_000;

/// A token bucket that holds one second's worth and starts full. It may go into debt: what is larger than the bucket passes when
/// the bucket is full, and is paid for before anything else passes.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    per_sec: NonZeroU64,
    /// Billionths of a token, so that no fraction is lost however often it is asked.
    level: i128,
    refilled_at: Duration,
}

impl Bucket {
    pub(crate) fn new(per_sec: NonZeroU64, now: Duration) -> Bucket {
        let mut bucket = Bucket { per_sec, level: 0, refilled_at: now };
        bucket.level = bucket.full();
        bucket
    }

    fn full(&self) -> i128 {
        i128::from(self.per_sec.get()) * NANOS_PER_SEC
    }

    /// Adds what has come since the last time. A time before it adds nothing.
    pub(crate) fn refill(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.refilled_at);
        // Nanoseconds of centuries times the greatest rate stay below 2^127.
        let came = i128::from(self.per_sec.get()).saturating_mul(elapsed.as_nanos() as i128);
        self.level = self.level.saturating_add(came).min(self.full());
        self.refilled_at = self.refilled_at.max(now);
    }

    /// Whether so many tokens may be taken now; more than the bucket holds need a full one.
    pub(crate) fn has(&self, tokens: u64) -> bool {
        self.level >= i128::from(tokens.min(self.per_sec.get())) * NANOS_PER_SEC
    }

    /// Whether there is no debt.
    pub(crate) fn is_positive(&self) -> bool {
        self.level > 0
    }

    /// Takes tokens, into debt if need be.
    pub(crate) fn take(&mut self, tokens: u64) {
        self.level = self.level.saturating_sub(i128::from(tokens) * NANOS_PER_SEC);
    }

    /// Forgives the debt that takes longer than so many seconds to pay.
    pub(crate) fn forgive(&mut self, debt_sec_max: u64) {
        self.level = self.level.max(-self.full() * i128::from(debt_sec_max));
    }

    pub(crate) fn per_sec(&self) -> NonZeroU64 {
        self.per_sec
    }
}
