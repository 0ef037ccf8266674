use serde::{Deserialize, Serialize};

/// The position of an entry in a group's log. Terms never decrease with the index, so the order of the fields is the order of
/// the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogId {
    /// The term of the leader that proposed the entry.
    pub term: u64,
    /// The entry's index, counted from 0 without a hole.
    pub index: u64,
}

impl std::fmt::Display for LogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.term, self.index)
    }
}

/// The vote of a replica: whom it follows, and whether a quorum does so too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The term voted in.
    pub term: u64,
    /// The candidate or leader voted for.
    pub node: u64,
    /// Whether a quorum granted it: the node is the leader of the term.
    pub committed: bool,
}
