use std::io;

use types::GroupId;

/// Why the journal could not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk failed.
    #[error("disk: {0}")]
    Io(#[from] io::Error),
    /// Another process has the data directory open.
    #[error("the data directory is in use by another process: stop that one, or give this one a directory of its own")]
    InUse,
    /// The directory holds something this build does not read.
    #[error(
        "the data directory has {found}, this program reads format {expected}: start the program version that wrote it, or use an empty directory"
    )]
    Format {
        /// What was found.
        found: String,
        /// What this build reads.
        expected: u32,
    },
    /// Stored bytes are not what was written. Never a torn last write, which is cut silently.
    #[error("{0}")]
    Damaged(Damage),
    /// The group's data on this node is damaged; the group neither votes nor serves here.
    #[error("group {group} is damaged on this node: {reason}")]
    GroupDamaged {
        /// The group.
        group: GroupId,
        /// What was found where.
        reason: String,
    },
    /// The group has been dropped from this node.
    #[error("group {0} has left this node")]
    Dropped(GroupId),
    /// The journal has been closed.
    #[error("the journal is closed")]
    Closed,
}

/// Damage found in stored bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{file} is damaged at byte {offset}: {what}")]
pub struct Damage {
    /// The file, relative to the data directory.
    pub file: String,
    /// Where the damaged block, extent or footer begins.
    pub offset: u64,
    /// What is wrong, and what follows from it.
    pub what: String,
}

/// Why new records are refused while reads and trims go on. The condition passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too little space is left for what has already been accepted and what might be.
    #[error("the disk is nearly full")]
    DiskFull,
    /// More is waiting for the disk than fits into memory.
    #[error("the disk does not keep up")]
    Overloaded,
}
