//! When this replica had how many records.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use types::RecordNumber;

/// Between two marks at least.
const EVERY: Duration = Duration::from_secs(1);
/// More than twice the time for which a request is repeated.
const MARKS: usize = 32;

/// Remembers for half a minute how far the shard was applied here and when, by this process' own monotonic clock: whatever the wall clocks
/// of leaders said, what was appended after a mark's time has at least its number.
#[derive(Default)]
pub(crate) struct Milestones {
    /// Oldest first.
    marks: Mutex<VecDeque<(Duration, RecordNumber)>>,
}

impl Milestones {
    /// Records below `next_record` are applied now.
    pub(crate) fn note(&self, now: Duration, next_record: RecordNumber) {
        let mut marks = self.marks.lock();
        if marks.back().is_some_and(|(at, _)| now < *at + EVERY) {
            return;
        }
        if marks.len() == MARKS {
            marks.pop_front();
        }
        marks.push_back((now, next_record));
    }

    /// The number below which no record was appended after `at`; `None` if that is beyond memory.
    pub(crate) fn at(&self, at: Duration) -> Option<RecordNumber> {
        let marks = self.marks.lock();
        marks.iter().rev().find(|(marked, _)| *marked <= at).map(|(_, next_record)| *next_record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_mark_before_a_time_is_found_and_old_ones_are_forgotten() {
        let (milestones, second) = (Milestones::default(), Duration::from_secs(1));
        assert_eq!(milestones.at(second * 100), None);
        for (tenths, number) in (10..20).map(|tenths| (tenths, u64::from(tenths))) {
            milestones.note(second * tenths / 10, RecordNumber(number));
        }
        milestones.note(second * 2, RecordNumber(20));
        assert_eq!(milestones.at(second * 9 / 10), None);
        assert_eq!(milestones.at(second * 19 / 10), Some(RecordNumber(10)));
        assert_eq!(milestones.at(second * 2), Some(RecordNumber(20)));
        for at in 3..100 {
            milestones.note(second * at, RecordNumber(u64::from(at) * 10));
        }
        assert_eq!(milestones.marks.lock().len(), MARKS);
        assert_eq!(milestones.at(second * 60), None);
        assert_eq!(milestones.at(second * 70), Some(RecordNumber(700)));
    }
}
