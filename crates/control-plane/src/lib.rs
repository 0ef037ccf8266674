//! The catalog on this node, and the loops that make the world as it says.
//!
//! A command's way: [`ControlPlane::propose`] gives it to the catalog's Raft group ([`proposer`]); once committed it is applied
//! by the [`machine`], which publishes the new state ([`copies`]) to everyone who routes or lists. The [`controller`] wakes on each
//! new state, [`plan`]s what is missing on this node (a group to open, one to drop, a stream to declare ready), does it, and
//! looks again. Nothing is remembered between two looks that could not be found again after a restart.

mod compactor;
mod controller;
mod copies;
mod error;
mod machine;
mod options;
mod plan;
mod plane;
mod proposer;
mod reply;
mod shard_host;

pub use error::Error;
pub use options::Options;
pub use plane::ControlPlane;
pub use shard_host::{HostError, ShardHost, ShardOpen};
