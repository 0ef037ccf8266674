//! Bugs planted on purpose, to prove that the simulation finds them.
//!
//! Compiled only with the feature `planted-bugs`; without it [`active`] is constantly false and costs nothing. One bug at a time is
//! active, per thread, because a simulation runs in one thread.

/// A bug that can be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The journal completes its callbacks before it has synced.
    AcknowledgeBeforeSync,
    /// A new segment's name is not made durable before the journal behind it is recycled.
    NoDirectorySync,
    /// Recovery does not check a block's generation, so that what a recycled file held before is replayed.
    StaleFrameReplayed,
    /// Records are trimmed an hour before their retention has passed.
    EarlyTrim,
    /// After a restart a shard's record numbers begin again at the trim point.
    SequenceNumberReused,
    /// Recovery takes damage in the middle of the journal for its end.
    DamageReadAsEnd,
    /// A shard's snapshot is taken at the applied index instead of the trim point.
    SnapshotAtAppliedIndex,
    /// A read that begins in a segment skips one record at the segment's edge.
    SegmentEdgeOffByOne,
    /// A leader answers for its group without knowing whether it still leads.
    DeposedLeaderServes,
    /// A new leader answers before it has applied what its predecessors committed.
    LeaderServesEarly,
    /// A put that is tried again at another leader is not looked for in the log.
    RepeatedPutNotFound,
    /// What this node's copy of the catalog doesn't have is taken for missing.
    StaleCatalogBelieved,
}

impl Bug {
    /// All of them, for the test that demands that each is found.
    pub const ALL: [Self; 12] = [
        Self::AcknowledgeBeforeSync,
        Self::NoDirectorySync,
        Self::StaleFrameReplayed,
        Self::EarlyTrim,
        Self::SequenceNumberReused,
        Self::DamageReadAsEnd,
        Self::SnapshotAtAppliedIndex,
        Self::SegmentEdgeOffByOne,
        Self::DeposedLeaderServes,
        Self::LeaderServesEarly,
        Self::RepeatedPutNotFound,
        Self::StaleCatalogBelieved,
    ];

    /// Whether it shows only where there are several nodes. The others are looked for on one: among several a replica that has lost what it confirmed
    /// stops the whole program in openraft's assertions, simulation included.
    pub fn needs_several_nodes(self) -> bool {
        matches!(
            self,
            Self::DeposedLeaderServes
                | Self::LeaderServesEarly
                | Self::RepeatedPutNotFound
                | Self::StaleCatalogBelieved
        )
    }
}

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::cell::Cell;

    use super::Bug;

    thread_local!(static ACTIVE: Cell<Option<Bug>> = const { Cell::new(None) });

    /// Switches `bug` on in this thread, or all off.
    pub fn plant(bug: Option<Bug>) {
        ACTIVE.set(bug);
    }

    /// Whether `bug` is switched on in this thread.
    pub fn active(bug: Bug) -> bool {
        ACTIVE.get() == Some(bug)
    }
}

#[cfg(feature = "planted-bugs")]
pub use switch::{active, plant};

/// Whether `bug` is switched on: never in this build.
#[cfg(not(feature = "planted-bugs"))]
pub const fn active(_: Bug) -> bool {
    false
}
