//! Each planted bug is found within so many seeds: the proof that the simulation looks where it should.
#![cfg(feature = "planted-bugs")]
#![allow(clippy::print_stdout, reason = "the table is what this test is for")]

use std::sync::Mutex;

use simulation::{has_several_nodes, run, run_planted};
use types::planted::Bug;

/// A bug that takes more seeds counts as not found.
const SEEDS_MAX: u64 = 200;
/// Bugs looked for at once.
const JOBS: usize = 2;

/// What found a bug.
struct Found {
    bug: Bug,
    /// The first seed, or none of [`SEEDS_MAX`].
    seed: Option<u64>,
    violation: String,
}

fn look_for(bug: Bug) -> Found {
    for seed in (0..SEEDS_MAX).filter(|seed| has_several_nodes(*seed) == bug.needs_several_nodes()) {
        if let Some(violation) = run_planted(seed, bug).violations.first() {
            let without = run(seed, false).violations;
            assert!(without.is_empty(), "seed {seed} fails without {bug:?}: {without:?}");
            return Found { bug, seed: Some(seed), violation: violation.clone() };
        }
    }
    Found { bug, seed: None, violation: "not found".into() }
}

#[test]
fn every_planted_bug_is_found() {
    let todo = Mutex::new(Bug::ALL.to_vec());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                loop {
                    let Some(bug) = todo.lock().unwrap().pop() else { return };
                    let result = look_for(bug);
                    found.lock().unwrap().push(result);
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|found| Bug::ALL.iter().position(|bug| *bug == found.bug));
    for found in &found {
        let seeds = found.seed.map_or("none".to_owned(), |seed| (seed + 1).to_string());
        println!("| `{:?}` | {seeds} | {} |", found.bug, found.violation);
    }
    let missed: Vec<Bug> = found.iter().filter(|found| found.seed.is_none()).map(|found| found.bug).collect();
    assert_eq!(found.len(), Bug::ALL.len());
    assert!(missed.is_empty(), "not found within {SEEDS_MAX} seeds: {missed:?}");
}
