//! The catalog on this node, and the loops that make the world as it says.
//!
//! A command's way: [`ControlPlane::propose`] gives it to the catalog's Raft group ([`proposer`]); once committed it is applied
//! by the [`machine`], which publishes the new state ([`copies`]) to everyone who routes or lists; a node that doesn't lead the catalog
//! passes the command on ([`service`]). On every node the [`controller`] wakes on each new state, [`plan`]s what is missing on this
//! node (a replica to open, one to drop), does it, and looks again; the [`movers`] change the members of the shards that it leads. On the
//! catalog's leader the [`governor`] asks all nodes how they stand and gives the next [orders](govern): a stream is ready, a replica
//! must be made elsewhere ([`placement`]), a leader should move. Nothing is remembered between two looks that could not be found
//! again after a restart. How a node becomes a member stands in [`entry`], and how one
//! that has lost its data becomes one again in [`start_over`](mod@start_over). Whoever wants to know how the cluster stands has all nodes asked
//! by the [`survey`], of which a [`status`] is made.

mod calls;
mod compactor;
mod controller;
mod copies;
mod entry;
mod error;
mod fresh;
mod generation;
mod govern;
mod governor;
mod local;
mod machine;
mod movers;
mod options;
mod peers;
pub mod placement;
mod plan;
mod plane;
mod proposer;
mod reply;
mod service;
mod shard_host;
mod start_over;
mod status;
mod survey;

pub use error::{Error, NodeStateError};
pub use local::{Local, Origin};
pub use options::Options;
pub use plane::{ControlPlane, Ground};
pub use shard_host::{HostError, ShardHost, ShardOpen};
pub use start_over::{finish_start_over, start_over};
pub use status::{CatalogStatus, ClusterStatus, NodeStatus, ShardTotals, ShardTrouble, Trouble};
