//! Runs a seed whatever comes of it.

use crate::{Outcome, run};

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

/// Runs the simulation of `seed`. A run that panics comes as an outcome with that violation.
pub fn run_caught(seed: u64) -> Outcome {
    std::panic::catch_unwind(|| run(seed, false)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let violations = vec![format!("panicked: {}", text.unwrap_or("with something that is no text"))];
        Outcome::of_failure(seed, violations)
    })
}
