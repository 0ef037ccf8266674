//! The world as the simulation makes it: virtual time, seeded randomness, faulty disks.
//!
//! What outlives a node's process (its [`FaultDisk`], its [`SimClock`]) is held by the simulation; what doesn't ([`ProcessEnd`], the
//! mounted disk) is made anew at each start of the process. Only one thread may run a simulation.
#![allow(clippy::disallowed_methods, reason = "tokio's and turmoil's virtual time is asked for here and nowhere else")]

mod clock;
pub mod conformance;
mod connections;
mod fault_disk;
mod network;
mod random;
mod spawn;
mod turmoil_disk;

use std::sync::Arc;

pub use clock::SimClock;
pub use fault_disk::{Call, FaultCounts, FaultDisk, FaultPlan, Latency};
pub use network::TurmoilNetwork;
pub use random::SeededRandom;
pub use spawn::{ProcessEnd, SimSpawn};
pub use turmoil_disk::TurmoilDisk;

use crate::{Disk, Env};

/// The world of one start of one node's process inside a turmoil host.
///
/// `seed` decides its randomness and must differ from start to start, `disk` is [`FaultDisk::mount`] or a [`TurmoilDisk`], `end` is where
/// the simulation learns that the process aborted.
pub fn env(seed: u64, clock: SimClock, disk: Arc<dyn Disk>, end: ProcessEnd) -> Env {
    Env {
        clock: Arc::new(clock),
        random: Arc::new(SeededRandom::new(seed)),
        disk,
        network: Arc::new(TurmoilNetwork::new(&end)),
        spawn: Arc::new(SimSpawn::new(end)),
    }
}

/// Ends the process on `host` at once, the way that two runs of a seed do the same: use it in place of `sim.crash`. `end` is that of
/// the process; its disk is the caller's to cut off ([`FaultDisk::process_crash`] or [`FaultDisk::power_loss`]), and `sim.bounce`
/// starts the next process.
pub fn crash(sim: &mut turmoil::Sim<'_>, host: &str, end: &ProcessEnd) {
    end.begin_crash();
    sim.crash(host);
}
