//! The catalog: which streams there are, their shards and lineage, where each shard's replicas live, which nodes.
//!
//! A pure state machine: commands go in, replies come out. Time and randomness come in the commands, so that every
//! replica of the catalog's group does the same. Controllers compare what it says with what is and propose the next
//! command; they find what is left to do after a change of leader in the state alone.

mod apply;
mod check;
mod codec;
mod command;
mod error;
mod reply;
mod shard;
mod state;
mod stream;

pub use command::{AccountLimits, CatalogCommand, RetentionChange};
pub use error::FormatError;
pub use reply::{CatalogError, CatalogReply};
pub use shard::{ClosedShard, Shard};
pub use state::{CatalogState, Cluster, ClusterId, Node};
pub use stream::{Stream, StreamMode, StreamStatus};
