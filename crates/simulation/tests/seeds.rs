//! A few seeds with every `cargo test`; `cargo xtask sim` runs thousands.

use simulation::{Outcome, run_caught};

#[test]
fn twenty_seeds_hold_every_invariant() {
    let outcomes: Vec<Outcome> = (0..20).map(run_caught).collect();
    for outcome in &outcomes {
        let seed = outcome.seed;
        assert!(outcome.violations.is_empty(), "cargo xtask sim --seed {seed} --trace: {:#?}", outcome.violations);
    }
    let acknowledged: u64 = outcomes.iter().map(|outcome| outcome.acknowledged).sum();
    let crashes: u64 = outcomes.iter().map(|outcome| outcome.crashes).sum();
    assert!(acknowledged > 2_000, "only {acknowledged} records were acknowledged");
    assert!(crashes > 20, "only {crashes} crashes");
}
