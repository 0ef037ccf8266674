//! Shards over the real journal and real Raft groups, on a disk that can fail, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[path = "shards/admission.rs"]
mod admission;
#[path = "shards/damage.rs"]
mod damage;
#[path = "shards/lifecycle.rs"]
mod lifecycle;
#[path = "shards/reading.rs"]
mod reading;
#[path = "shards/repeated.rs"]
mod repeated;
#[path = "shards/retention.rs"]
mod retention;
#[path = "shards/world.rs"]
mod world;
