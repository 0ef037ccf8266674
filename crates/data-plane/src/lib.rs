//! This node's shards: append, read, throttle, retain.
//!
//! A put's way: [`DataPlane::append`] finds the shard and asks for admission ([`budget`], [`limits`]); the shard's [`owner`] gathers
//! what waits into one entry ([`gather`]), stamps it and proposes it; the [`machine`] numbers its records when it is committed;
//! each put gets its share of the numbers. A get's way: [`DataPlane::read`] takes entries from the tail or a segment and cuts the
//! records asked for out of them ([`slice`]). Once in a while [`retention`] moves each shard's trim point, by a clock that a jump
//! of the wall clock doesn't fool ([`wall_history`]).
//!
//! Order of record numbers in a shard: trim point <= read <= published <= numbered.

mod appended;
mod budget;
mod clock;
mod error;
mod gather;
mod limits;
mod machine;
mod members;
mod milestones;
mod options;
mod owner;
mod plane;
mod read;
mod repeated;
mod reply;
mod retention;
mod shard;
mod slice;
mod slots;
mod status;
mod wall_history;

pub use appended::Appended;
pub use error::{AppendError, Error, ReadError};
pub use limits::ShardLimits;
pub use options::Options;
pub use plane::{DataPlane, ShardSpec};
pub use raft_group::ChangeError;
pub use read::{Positions, ReadBatch};
pub use slice::ReadRecord;
pub use status::ShardStatus;
