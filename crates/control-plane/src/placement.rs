//! Where replicas and leaders should be: pure functions of the catalog and of who is alive.
//!
//! [`place`] finds nodes for new shards, [`changes`] the next changes of members of those there are, [`abandoned`] the changes that
//! can't be completed, [`leaders`] the next transfers of leaders, [`catalog_members`] who votes in the catalog's own group, and
//! [`catalog_leader`] who leads it if its leader should not. Each is deterministic, looks at the world as it is, and remembers
//! nothing: the controller on the catalog's leader asks again after each step, and so does the next one after a change of leader. Asked
//! again and again, each comes to an end.
//!
//! Words used here: a node is *usable* when it is active and alive, so that new replicas and leaders may go there. It is *lost* when it
//! has been dead for long. Between the two it may be back any moment: it gets nothing new and keeps what it has.

mod board;
mod catalog_members;
mod changes;
mod deal;
mod even_out;
mod leaders;
mod place;
mod quotas;

pub use catalog_members::{CatalogMembers, catalog_leader, catalog_members};
pub use changes::{Abandoned, Change, ChangeReason, abandoned, changes};
pub use leaders::{Transfer, leaders};
pub use place::{PlacementError, place};

#[cfg(test)]
pub(crate) mod tests;
