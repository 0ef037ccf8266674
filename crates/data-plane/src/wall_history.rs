//! Which records have passed their retention, by a wall clock that may jump: pure.
//!
//! A record carries the wall clock's time of its arrival, or a later one, since arrival times never run backwards within a shard.
//! How old it really is only the monotonic clock can tell. So this remembers what the wall clock said over the monotonic time:
//! a record with arrival `a` came in at a moment at which the wall clock said `a` or less, and if at no moment of the last `r`
//! the wall clock did, the record is older than `r`. The smallest value that the wall clock had within the last `r` is therefore the
//! arrival below which everything is older than `r`, however the clock has jumped: a jump forwards trims nothing early, and one
//! backwards keeps records longer, by the length of the jump at most.
//!
//! The monotonic clock begins with the process. What the wall clock said before is not known; it is taken to have run evenly up to
//! the start, with the smallest offset seen since. So records from before the start are aged by the wall clock, and one that is
//! ahead at the start, and stays so until the first trim, trims them early by as much. Nothing else on the machine would know better.

use std::collections::VecDeque;

use types::limits::RETENTION_HOURS_MAX;

/// Changes of the wall clock's offset smaller than this belong to a clock that is kept right, not to a jump.
const DRIFT_MS: i64 = 1_000;
/// The longest retention there is: what was before it is of no use.
const MEMORY_MS: i64 = RETENTION_HOURS_MAX as i64 * 3_600_000;
/// Spans kept at most, 24 bytes each. A drift of 100 ppm makes nine a day, 3,200 in the longest retention; beyond it the oldest are
/// merged, which errs on the side of keeping records.
const SPANS_MAX: usize = 4_096;

/// A time over which the wall clock ran evenly. It ends where the next one begins.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// Monotonic time of its beginning.
    start_ms: i64,
    /// Wall clock minus monotonic clock at its beginning, and the smallest it had.
    first_offset_ms: i64,
    least_offset_ms: i64,
}

/// What the wall clock said over the life of the process.
#[derive(Debug, Default)]
pub(crate) struct WallHistory {
    spans: VecDeque<Span>,
    observed_ms: i64,
    least_offset_ms: i64,
}

impl WallHistory {
    /// Notes what the wall clock says now. Every arrival time given to a record must be noted before.
    pub(crate) fn observe(&mut self, monotonic_ms: i64, wall_ms: i64) {
        let offset = wall_ms.saturating_sub(monotonic_ms);
        let fresh = |start_ms| Span { start_ms, first_offset_ms: offset, least_offset_ms: offset };
        match self.spans.back_mut() {
            None => {
                self.least_offset_ms = offset;
                self.spans.push_back(fresh(monotonic_ms));
            }
            Some(span) if offset.abs_diff(span.first_offset_ms) <= DRIFT_MS as u64 => {
                span.least_offset_ms = span.least_offset_ms.min(offset);
            }
            // It jumped at some moment since the last look; the earliest is assumed for a jump backwards, the latest for one forwards.
            Some(span) if offset < span.first_offset_ms => self.spans.push_back(fresh(self.observed_ms)),
            Some(_) => self.spans.push_back(fresh(monotonic_ms)),
        }
        self.least_offset_ms = self.least_offset_ms.min(offset);
        self.observed_ms = monotonic_ms;
        self.forget(monotonic_ms);
    }

    fn forget(&mut self, now_ms: i64) {
        while self.spans.get(1).is_some_and(|second| second.start_ms < now_ms - MEMORY_MS) {
            self.spans.pop_front();
        }
        if self.spans.len() > SPANS_MAX
            && let Some(oldest) = self.spans.pop_front()
            && let Some(next) = self.spans.front_mut()
        {
            next.start_ms = oldest.start_ms;
            next.least_offset_ms = next.least_offset_ms.min(oldest.least_offset_ms);
        }
    }

    /// All records that arrived before this time have been stored for more than `retention_ms`; nothing is known to have if it is 0.
    pub(crate) fn expired_before(&self, now_ms: i64, retention_ms: i64) -> u64 {
        let window_start = now_ms.saturating_sub(retention_ms);
        let least_in = |(at, span): (usize, &Span)| {
            let is_over = self.spans.get(at + 1).is_some_and(|next| next.start_ms < window_start);
            (!is_over).then(|| span.least_offset_ms.saturating_add(span.start_ms.max(window_start)))
        };
        let Some(since_start) = self.spans.iter().enumerate().filter_map(least_in).min() else { return 0 };
        let from_before = self.spans.front().is_some_and(|first| window_start < first.start_ms);
        let least = match from_before {
            true => since_start.min(self.least_offset_ms.saturating_add(window_start)),
            false => since_start,
        };
        u64::try_from(least).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
