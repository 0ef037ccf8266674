//! A seed decides everything: every request, reply, log line, fault and disk operation, with its virtual time.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// One of each scenario, as the plan draws them: faults, nights, rot.
const SEEDS: [u64; 3] = [0, 1, 8];

#[test]
fn two_runs_of_a_seed_are_the_same() {
    for seed in SEEDS {
        let (one, two) = (simulation::run(seed, false), simulation::run(seed, false));
        assert_eq!((one.hash, one.events), (two.hash, two.events), "seed {seed}");
        assert!(one.events > 300, "not much happened with seed {seed}: {} events", one.events);
    }
}

#[test]
fn another_process_runs_a_seed_the_same_way() {
    for seed in SEEDS {
        let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(["--seed", &seed.to_string()]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let here = simulation::run(seed, false);
        let hash = format!("hash {:016x}", here.hash);
        assert!(text.contains(&hash), "seed {seed}: {hash} is not in\n{text}");
    }
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(simulation::run(1, false).hash, simulation::run(2, false).hash);
}
