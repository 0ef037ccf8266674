//! Nodes on turmoil's network: cut links, held messages, crashes, and one seed that decides everything.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "simulated/faults.rs"]
mod faults;
#[path = "simulated/quiet.rs"]
mod quiet;
mod support;
#[path = "simulated/world.rs"]
mod world;

use std::time::Duration;

use crate::world::{World, names};

/// Three nodes call each other all the time, while links are cut and one node crashes.
fn trace(seed: u64) -> String {
    let mut world = World::new(seed, 3);
    world.step_for(Duration::from_secs(2));
    world.sim.partition(names(1), names(2));
    world.step_for(Duration::from_secs(8));
    world.sim.repair(names(1), names(2));
    world.crash(3);
    world.step_for(Duration::from_secs(3));
    world.start(3);
    world.step_for(Duration::from_secs(8));
    world.take()
}

#[test]
fn two_runs_of_a_seed_leave_the_same_trace() {
    for seed in 0..6 {
        let (first, second) = (trace(seed), trace(seed));
        let difference = first.lines().zip(second.lines()).find(|(one, two)| one != two);
        assert_eq!(difference, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
        for word in ["answered", "outcome unknown", "not sent"] {
            assert!(first.contains(word), "seed {seed}: never {word}:\n{first}");
        }
    }
    assert_ne!(trace(0), trace(1));
}
