use std::fmt;

use crate::ShardRef;

/// The invariants, with their numbers in the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// 1: what was acknowledged is readable until its retention ends.
    Durability = 1,
    /// 2: one payload per sequence number, strictly increasing, never reused.
    Numbers = 2,
    /// 3: `SequenceNumberForOrdering` is kept. Not checked yet.
    Ordering = 3,
    /// 4: what is read was put, in no more copies than attempts.
    NoPhantoms = 4,
    /// 5: only committed records are read, and one reader never goes backwards.
    Reads = 5,
    /// 6: iterators neither skip nor repeat.
    Iterators = 6,
    /// 7: open shards partition the key space. Not checked yet.
    KeySpace = 7,
    /// 8: retention never trims early, and does trim.
    Retention = 8,
    /// 9: every shard takes writes again after faults. Not checked yet.
    Recovery = 9,
}

impl Invariant {
    /// The number in the design.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// Something that should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: Invariant,
    /// Where, if it concerns a shard.
    pub shard: Option<ShardRef>,
    /// What, in words.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {} ({:?})", self.invariant.number(), self.invariant)?;
        if let Some(shard) = &self.shard {
            write!(f, " in {shard}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// So many violations of one invariant are told: enough to see a pattern, and a lost shard doesn't fill the memory.
pub const VIOLATIONS_PER_INVARIANT_MAX: usize = 100;

/// Gathers violations.
#[derive(Debug, Default)]
pub(crate) struct Report {
    violations: Vec<Violation>,
    counts: [usize; 10],
}

impl Report {
    pub(crate) fn add(&mut self, invariant: Invariant, shard: Option<&ShardRef>, what: impl FnOnce() -> String) {
        let count = &mut self.counts[usize::from(invariant.number())];
        *count += 1;
        if *count <= VIOLATIONS_PER_INVARIANT_MAX {
            self.violations.push(Violation { invariant, shard: shard.cloned(), what: what() });
        }
    }

    pub(crate) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }
}
