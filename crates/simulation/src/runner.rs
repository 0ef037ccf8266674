//! Runs many seeds, one per thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use crate::{Outcome, run};

/// Which seeds, and how.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// The first one.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Threads, at least 1.
    pub jobs: u64,
}

/// Runs `seeds` and gives each outcome to `seen`, in the order in which they end, until it returns false. A run that panics comes as
/// an outcome with that violation.
pub fn run_seeds(seeds: Seeds, mut seen: impl FnMut(Outcome) -> bool) {
    let next = AtomicU64::new(seeds.first);
    let end = seeds.first.saturating_add(seeds.count);
    std::thread::scope(|scope| {
        let (sender, outcomes) = mpsc::channel();
        for _ in 0..seeds.jobs.max(1) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || sender.send(run_caught(seed)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for outcome in outcomes {
            if !seen(outcome) {
                // The threads end with the seed they are at: nobody listens any more.
                next.store(end, Ordering::Relaxed);
                return;
            }
        }
    });
}

/// Whether the run of `seed` has several nodes.
#[cfg(feature = "planted-bugs")]
pub fn has_several_nodes(seed: u64) -> bool {
    crate::plan::Plan::of(seed).cluster.nodes > 1
}

/// Runs the simulation of `seed` with `bug` planted. A run that panics comes as an outcome with that violation.
#[cfg(feature = "planted-bugs")]
pub fn run_planted(seed: u64, bug: types::planted::Bug) -> Outcome {
    types::planted::plant(Some(bug));
    let outcome = run_caught(seed);
    types::planted::plant(None);
    outcome
}

fn run_caught(seed: u64) -> Outcome {
    std::panic::catch_unwind(|| run(seed, false)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let violations = vec![format!("panicked: {}", text.unwrap_or("with something that is no text"))];
        Outcome { seed, violations, hash: 0, events: 0, acknowledged: 0, crashes: 0, states: Default::default() }
    })
}
