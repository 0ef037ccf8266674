//! A disk in memory that does to unsynced data whatever a real one may.

mod block;
mod content;
mod dice;
mod handle;
mod mount;
mod names;
mod plan;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::Disk;
use block::BLOCK_BYTES;
use content::Content;
use mount::Mount;
pub use plan::{Call, FaultCounts, FaultPlan, Latency};
use state::State;

/// A disk in memory, with the faults of its [`FaultPlan`]; the simulation's side of it. Clones are the same disk.
///
/// It outlives the node's process: each start of the process works on its own [`FaultDisk::mount`], which dies with
/// [`FaultDisk::power_loss`] or [`FaultDisk::process_crash`]. The same seed and the same calls give the same results.
#[derive(Clone)]
pub struct FaultDisk {
    state: Arc<Mutex<State>>,
}

impl FaultDisk {
    /// An empty disk. `seed` decides all its faults and latencies.
    pub fn new(seed: u64, plan: FaultPlan) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(seed, plan))) }
    }

    /// The disk for a process that starts now. After the next crash every call on it, and on everything opened through it, fails.
    pub fn mount(&self) -> Arc<dyn Disk> {
        Arc::new(Mount { disk: self.clone(), generation: self.state.lock().generation })
    }

    /// The machine loses power: of what is unsynced, anything may survive.
    pub fn power_loss(&self) {
        let mut state = self.state.lock();
        state.counts.power_losses += 1;
        state.lose_power();
    }

    /// The process dies; what it has written stays in the operating system's cache and so survives.
    pub fn process_crash(&self) {
        let mut state = self.state.lock();
        state.counts.process_crashes += 1;
        state.end_process();
    }

    /// Rots one bit of the byte at `offset` of the file `path`, for good. False if there is no such byte on the disk: no such file,
    /// a hole, or an unsynced end.
    pub fn rot(&self, path: &str, offset: u64) -> bool {
        let mut state = self.state.lock();
        let Ok(id) = state.names.file(path) else { return false };
        state.content(id).is_ok_and(|(content, mut chance)| content.rot(offset, &mut chance))
    }

    /// Rots one bit of each of up to `bytes` random bytes of the files whose path begins with `prefix`; returns where.
    pub fn rot_random(&self, prefix: &str, bytes: usize) -> Vec<(String, u64)> {
        let files = self.state.lock().names.files();
        let files: Vec<String> =
            files.into_iter().map(|(path, _)| path).filter(|path| path.starts_with(prefix)).collect();
        let mut rotted = Vec::new();
        for _ in 0..bytes {
            let Some((path, offset)) = self.random_byte(&files) else { break };
            if self.rot(&path, offset) {
                rotted.push((path, offset));
            }
        }
        rotted
    }

    /// A byte of any of `paths`, each byte as likely as the next.
    fn random_byte(&self, paths: &[String]) -> Option<(String, u64)> {
        let mut state = self.state.lock();
        let mut lengths = Vec::with_capacity(paths.len());
        for path in paths {
            let id = state.names.file(path).ok()?;
            lengths.push(state.files.get(&id)?.len());
        }
        let mut at = state.below(lengths.iter().sum());
        for (path, length) in paths.iter().zip(lengths) {
            if at < length {
                return Some((path.clone(), at));
            }
            at -= length;
        }
        None
    }

    /// Makes the `nth` call of this kind from now on fail with an I/O error, once; 1 is the next. A crash forgets it.
    pub fn fail_nth(&self, call: Call, nth: u64) {
        self.state.lock().planted.push((call, nth.saturating_sub(1)));
    }

    /// Makes the disk larger or smaller; what is on it stays.
    pub fn set_capacity_bytes(&self, capacity_bytes: u64) {
        self.state.lock().plan.capacity_bytes = capacity_bytes;
    }

    /// Changes what may go wrong from now on.
    pub fn change_plan(&self, change: impl FnOnce(&mut FaultPlan)) {
        change(&mut self.state.lock().plan);
    }

    /// What it has done so far.
    pub fn counts(&self) -> FaultCounts {
        self.state.lock().counts.clone()
    }

    /// Whether a file holds anything that power loss might take.
    pub fn has_unsynced(&self) -> bool {
        self.state.lock().files.values().any(Content::has_unsynced)
    }

    /// Bytes taken of the capacity.
    pub fn used_bytes(&self) -> u64 {
        let state = self.state.lock();
        state.plan.capacity_bytes.saturating_sub(state.free_blocks() * BLOCK_BYTES as u64)
    }

    /// Every file with its bytes, as a process would read them now: to compare disks, and to look at one that nobody mounts.
    pub fn files(&self) -> BTreeMap<String, Bytes> {
        let state = self.state.lock();
        let read = |id| state.files.get(&id).map(|content| content.read(0, usize::MAX)).unwrap_or_default();
        state.names.files().into_iter().map(|(path, id)| (path, read(id))).collect()
    }
}
