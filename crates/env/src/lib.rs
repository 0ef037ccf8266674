//! The only door to the world outside the program: clocks, randomness, files, sockets, tasks and threads.
//!
//! Everything above this crate takes an [`Env`] and never asks the operating system itself, so that the whole server runs
//! unchanged either on a real machine ([`real`]) or inside a deterministic simulation ([`sim`]) where time is virtual, disks lose
//! power and one seed decides everything.

mod clock;
mod disk;
mod network;
mod random;
pub mod real;
mod shortage;
pub mod sim;
mod spawn;

use std::pin::Pin;
use std::sync::Arc;

pub use clock::Clock;
pub use disk::{DirLock, Disk, File};
pub use network::{Listener, Network, Stream};
pub use random::Random;
pub use shortage::Shortage;
pub use spawn::Spawn;

/// A boxed future, as the traits of this crate return it: they are used as trait objects, and each call is coarse (a write of many
/// records, an accepted connection), so the box costs nothing that matters.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The world as one value: cloned into every component at the composition root.
#[derive(Clone)]
pub struct Env {
    /// Wall clock, monotonic clock and timers.
    pub clock: Arc<dyn Clock>,
    /// Randomness, seeded in the simulation.
    pub random: Arc<dyn Random>,
    /// The node's data directory.
    pub disk: Arc<dyn Disk>,
    /// Listeners and connections.
    pub network: Arc<dyn Network>,
    /// Tasks, dedicated threads, and the end of the process.
    pub spawn: Arc<dyn Spawn>,
}

impl Env {
    /// The same world for a task given to [`Spawn::dedicated`]: its files call the operating system inline, on the thread that polls
    /// them, and save the hop to a pool. Not for the shared executor, which they would block. Sockets don't work there.
    pub fn for_dedicated(&self) -> Env {
        Env { disk: Arc::clone(&self.disk).for_dedicated(), ..self.clone() }
    }
}
