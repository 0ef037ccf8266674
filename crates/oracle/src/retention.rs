//! How long a stream keeps its records, over time.

/// The retention from some moment on. The change took effect between `asked_at` and `at`.
#[derive(Debug, Clone, Copy)]
struct Change {
    asked_at: u64,
    at: u64,
    retention_ms: u64,
}

/// A stream's retention, oldest first; the first entry is that of its creation.
#[derive(Debug, Clone)]
pub(crate) struct RetentionHistory {
    changes: Vec<Change>,
}

impl RetentionHistory {
    pub(crate) fn new(retention_ms: u64) -> RetentionHistory {
        RetentionHistory { changes: vec![Change { asked_at: 0, at: 0, retention_ms }] }
    }

    pub(crate) fn set(&mut self, retention_ms: u64, asked_at: u64, at: u64) {
        self.changes.push(Change { asked_at, at, retention_ms });
    }

    /// Whether a record that arrived at `arrived` or later may have been trimmed by `now`: at some moment until then it
    /// had passed the retention of that moment. A later, longer retention doesn't bring it back.
    pub(crate) fn may_be_gone(&self, arrived: u64, now: u64) -> bool {
        let ends = self.changes[1..].iter().map(|next| next.at).chain([u64::MAX]);
        self.changes.iter().zip(ends).any(|(change, end)| {
            let first_moment = change.asked_at.max(arrived.saturating_add(change.retention_ms));
            first_moment <= end && first_moment <= now
        })
    }

    /// Whether a record that arrived at `arrived` or earlier must have been trimmed by `now`.
    pub(crate) fn must_be_gone(&self, arrived: u64, now: u64, grace_ms: u64) -> bool {
        let in_force = self.changes.iter().rev().find(|change| change.asked_at <= now);
        in_force.is_some_and(|change| {
            let since = change.at.max(arrived.saturating_add(change.retention_ms));
            since.saturating_add(grace_ms) < now
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_may_go_when_its_retention_has_passed_and_must_after_the_grace() {
        let retention = RetentionHistory::new(100);
        assert!(!retention.may_be_gone(50, 149));
        assert!(retention.may_be_gone(50, 150));
        assert!(!retention.must_be_gone(50, 160, 10));
        assert!(retention.must_be_gone(50, 161, 10));
    }

    #[test]
    fn a_longer_retention_saves_only_what_was_still_there() {
        let mut retention = RetentionHistory::new(100);
        retention.set(1_000, 200, 210);
        assert!(retention.may_be_gone(50, 300), "it had passed the old one before");
        assert!(!retention.may_be_gone(111, 300), "the new one came before it passed the old one");
        assert!(!retention.must_be_gone(50, 300, 10), "it may also have been saved");
    }

    #[test]
    fn a_shorter_retention_gives_its_grace_from_the_change() {
        let mut retention = RetentionHistory::new(1_000);
        retention.set(100, 500, 510);
        assert!(!retention.may_be_gone(50, 499));
        assert!(retention.may_be_gone(50, 500));
        assert!(!retention.must_be_gone(50, 520, 10));
        assert!(retention.must_be_gone(50, 521, 10));
    }
}
