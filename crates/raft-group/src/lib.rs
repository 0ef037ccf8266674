//! One replica of one Raft group: a [`Machine`] over a [`journal::GroupLog`], driven by openraft. No type of openraft leaves this
//! crate, and none is stored on disk.
//!
//! All groups of a node share one [`RaftNode`]: it takes messages from the other nodes to their replica ([`service`]), carries a
//! replica's messages over the node's transport ([`network`]), judges who is alive by pulses between nodes ([`pulse`], [`liveness`]), and
//! has replicas campaign where a leader has gone ([`elections`]). No group ticks, so an idle one costs nothing.

mod claims;
mod config;
mod elections;
mod error;
mod gate;
mod group;
mod liveness;
mod log_store;
mod machine;
mod member;
mod members;
mod messages;
mod network;
mod node;
mod options;
mod pulse;
mod service;
mod snapshot;
mod state_machine;
#[cfg(test)]
mod storage_tests;
mod stored;
mod transfer;

pub use error::{Error, ProposeError};
pub use group::{Leadership, RaftGroup};
pub use machine::{Applied, CommittedEntry, Machine, MachineError};
pub use members::{ChangeError, Membership};
pub use node::RaftNode;
pub use options::Options;
pub use transfer::TransferError;
