//! The words that every other crate shares: names, numbers and limits of Kinesis.
//!
//! Pure values only: parsing, printing, ordering. Nothing here knows a clock, a file or a socket.

mod arn;
mod error;
mod hash_key;
mod ids;
pub mod limits;
pub mod planted;
mod replica_id;
mod sequence_number;
mod shard_id;
mod stream_name;

pub use arn::StreamArn;
pub use error::ParseError;
pub use hash_key::{HashKey, HashKeyRange};
pub use ids::{GroupId, NodeId, RecordNumber, TimestampMs};
pub use replica_id::ReplicaId;
pub use sequence_number::{SEQUENCE_NUMBER_DIGITS, SequenceNumber, SequenceVersion};
pub use shard_id::ShardId;
pub use stream_name::StreamName;
