//! The node's storage: one write-ahead log for all its groups, their tails in memory, and segments.
//!
//! A put's way: [`GroupLog::append`] makes the entry readable and queues it; the writer ([`writer`]) puts everything that waits
//! into one block ([`block`]), writes and syncs it once, and calls back; when the entry is committed and applied,
//! [`GroupLog::applied`] makes its records readable; the flusher ([`flusher`]) later moves it into a segment ([`segment`]), writes
//! a checkpoint ([`checkpoint`]) and recycles the journal file ([`file`]). After a crash [`recovery`] puts the memory together again, and
//! [`playback`] finds what is damaged.
//!
//! Order of positions in a group: purged <= flushed (in a segment) <= applied <= committed <= synced <= appended.

mod block;
mod checkpoint;
mod cleanup;
mod error;
mod file;
mod flusher;
mod frame;
mod group;
mod handle;
mod inspect;
mod layout;
mod log_id;
mod node;
mod open_files;
mod options;
mod playback;
mod queue;
mod recovery;
mod room;
mod scan;
mod segment;
mod set_aside;
mod shared;
mod stored;
mod tail;
mod writer;

pub use error::{Damage, Error, Refusal};
pub use frame::{FRAME_HEADER_LEN, Frame, FrameKind};
pub use handle::{AppliedPosition, GroupLog, Seek};
pub use inspect::{GroupInspection, Inspection, inspect};
pub use layout::FORMAT;
pub use log_id::{LogId, Vote};
pub use node::Journal;
pub use options::Options;
pub use queue::FlushCallback;
pub use recovery::RecoveryReport;
pub use set_aside::set_aside;
pub use tail::{AppliedFrame, Assigned, Snapshot};
