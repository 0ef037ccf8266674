//! The world as it is: the operating system's clocks, files and sockets.
#![allow(
    clippy::disallowed_methods,
    reason = "the one place that may ask the operating system; everything else asks this"
)]

mod clock;
mod disk;
mod file;
mod handles;
mod memory;
mod network;
mod path;
mod random;
mod spawn;

use std::path::PathBuf;
use std::sync::Arc;

pub use clock::RealClock;
pub use disk::RealDisk;
pub use handles::{handle_limit, raise_handle_limit};
pub use memory::refuse_huge_pages;
pub use network::RealNetwork;
pub use random::RealRandom;
pub use spawn::{RealSpawn, run};

use crate::{Disk, Env};

/// The real world, with the data directory `root` (made by `disk.create_dir("")` if it isn't there yet).
///
/// # Panics
/// Outside of a tokio runtime: tasks run on the executor that this is called in. See [`run`].
pub fn env(root: PathBuf) -> Env {
    Env {
        clock: Arc::new(RealClock::new()),
        random: Arc::new(RealRandom),
        disk: Arc::new(RealDisk::offloading(root)),
        network: Arc::new(RealNetwork),
        spawn: Arc::new(RealSpawn::new()),
    }
}

/// The data directory `root` for a thread that may block: start-up, tools such as `inspect`, and tests.
pub fn blocking_disk(root: PathBuf) -> Arc<dyn Disk> {
    Arc::new(RealDisk::blocking(root))
}
