//! The catalog: which nodes there are, which streams, their shards and lineage, where each shard's replicas live and go.
//!
//! A pure state machine: commands go in, replies come out. Time and randomness come in the commands, so that every
//! replica of the catalog's group does the same. Controllers compare what it says with what is and propose the next
//! command; they find what is left to do after a change of leader in the state alone.

mod apply;
mod bounds;
mod check;
mod codec;
mod command;
mod error;
mod node;
mod reply;
mod shard;
mod state;
mod stream;

pub use command::{AccountLimits, CatalogCommand, RetentionChange};
pub use error::FormatError;
pub use node::{Node, NodeState};
pub use reply::{CatalogError, CatalogReply};
pub use shard::{ClosedShard, Shard};
pub use state::{CatalogState, Cluster, ClusterId};
pub use stream::{Stream, StreamMode, StreamStatus};
