//! One replica of one Raft group: a [`Machine`] over a [`journal::GroupLog`], driven by openraft. No type of openraft leaves this
//! crate, and none is stored on disk.
//!
//! Groups have one voter in this release. The network to other replicas answers "unreachable"; elections are triggered when a group
//! is opened, and nothing ticks, so an idle group costs nothing.

mod config;
mod error;
mod group;
mod log_store;
mod machine;
mod network;
mod snapshot;
mod state_machine;
#[cfg(test)]
mod storage_tests;
mod stored;

pub use error::{Error, ProposeError};
pub use group::RaftGroup;
pub use machine::{Applied, CommittedEntry, Machine, MachineError};
