//! Structures that several operations share.

mod child_shard;
mod hash_key_range;
mod keyword;
mod monitoring;
mod sequence_number_range;
mod shard;
mod stream_mode_details;

pub use child_shard::ChildShard;
pub use hash_key_range::HashKeyRange;
pub use keyword::{EncryptionType, ShardFilterType, ShardIteratorType, StreamMode, StreamStatus};
pub use monitoring::EnhancedMetrics;
pub use sequence_number_range::SequenceNumberRange;
pub use shard::Shard;
pub use stream_mode_details::StreamModeDetails;
