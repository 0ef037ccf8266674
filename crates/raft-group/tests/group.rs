//! One group over the real journal: commits, restarts, compaction at the trim point, determinism under turmoil.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[path = "group/compaction.rs"]
mod compaction;
#[path = "group/death.rs"]
mod death;
#[path = "group/idle.rs"]
mod idle;
#[path = "support/machine.rs"]
mod machine;
#[path = "group/restarts.rs"]
mod restarts;
#[path = "group/world.rs"]
mod world;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};

use crate::machine::trim_to;
use crate::world::{open, peek, put};

/// The spike that `env` follows from: the same seed gives the same trace, byte for byte, whatever ran before it.
fn trace(seed: u64) -> String {
    let trace = Rc::new(RefCell::new(String::new()));
    let disk = FaultDisk::new(seed, FaultPlan::default());
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tcp_capacity(65536)
        .simulation_duration(Duration::from_secs(600))
        .build();
    let clock = SimClock::new(1_700_000_000_000);
    let end = Rc::new(RefCell::new(ProcessEnd::default()));
    let (host_disk, host_trace, host_end) = (disk.clone(), Rc::clone(&trace), Rc::clone(&end));
    let starts = Cell::new(0);
    sim.host("node", move || {
        starts.set(starts.get() + 1);
        host_end.replace(ProcessEnd::default());
        let env = sim::env(seed * 1000 + starts.get(), clock.clone(), host_disk.mount(), host_end.borrow().clone());
        let trace = Rc::clone(&host_trace);
        async move {
            let (_journal, group) = open(env.clone()).await;
            for n in peek(&group).await.. {
                let number = put(&group, n).await;
                let at = env.clock.monotonic();
                trace.borrow_mut().push_str(&format!("{number} at {at:?}\n"));
                if n % 20 == 19 {
                    trim_to(&group, n - 5).await;
                    group.compact().await?;
                }
            }
            Ok(())
        }
    });
    for _ in 0..5 {
        for _ in 0..200 {
            sim.step().unwrap();
        }
        sim::crash(&mut sim, "node", &end.borrow());
        disk.power_loss();
        sim.bounce("node");
    }
    trace.borrow_mut().push_str(&format!("{:?} {:?}", disk.counts(), disk.files()));
    trace.take()
}

#[test]
fn two_runs_of_a_seed_are_byte_identical() {
    for seed in 42..46 {
        let first = trace(seed);
        assert!(first.lines().count() > 100, "too little happened: {first}");
        assert_ne!(first, trace(seed + 1000));
        assert_eq!(first, trace(seed));
    }
}
