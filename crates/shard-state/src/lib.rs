//! One shard's log, as data: what its Raft entries contain and what applying them means.
//!
//! The log is the record store; what is called state here is small: whether the shard is open, its next record
//! number, its last arrival time and its trim point. Everything is pure: an entry goes in, what it did comes out.
//!
//! What is stored, little endian, one file each:
//!
//! | format | file | holds |
//! |---|---|---|
//! | record | `record.rs` | one record: lengths, partition key, data |
//! | batch | `batch.rs` | records one after the other |
//! | command | `command.rs` | the payload of one Raft entry: put, close or trim |
//! | state | `state_format.rs` | a shard's state, for checkpoints and snapshots |

mod batch;
mod command;
mod error;
mod record;
mod shard_state;
mod state_format;
mod trim_point;

pub use batch::{Batch, BatchWriter, RequestId};
pub use command::{Command, PUT_OVERHEAD_BYTES, REQUEST_BYTES, encode_put};
pub use error::FormatError;
pub use record::{RECORD_OVERHEAD_BYTES, Record, RecordIter};
pub use shard_state::{Applied, Outcome, Phase, ShardIdentity, ShardState};
pub use state_format::STATE_BYTES;
pub use trim_point::TrimPoint;
