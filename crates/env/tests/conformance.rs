//! The one conformance suite, on every disk.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use env::real::RealDisk;
use env::sim::{FaultDisk, FaultPlan, Latency, TurmoilDisk, conformance};

#[tokio::test]
async fn the_blocking_real_disk_conforms() {
    let root = tempfile::tempdir().unwrap();
    conformance::all(Arc::new(RealDisk::blocking(root.path().join("data")))).await;
}

#[tokio::test]
async fn the_offloading_real_disk_conforms() {
    let root = tempfile::tempdir().unwrap();
    conformance::all(Arc::new(RealDisk::offloading(root.path().join("data")))).await;
}

#[tokio::test(start_paused = true)]
async fn the_fault_disk_conforms() {
    let plan = FaultPlan { writeback_rate: 0.5, ..FaultPlan::default() };
    conformance::all(FaultDisk::new(1, plan).mount()).await;
}

#[test]
fn the_fault_disk_without_latency_conforms_without_a_runtime() {
    let plan = FaultPlan { sync_latency: Latency::NONE, ..FaultPlan::default() };
    let mut suite = std::pin::pin!(conformance::all(FaultDisk::new(1, plan).mount()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(suite.as_mut().poll(&mut context).is_ready(), "a disk without latency waited");
}

#[test]
fn turmoils_disk_conforms() {
    let mut builder = turmoil::Builder::new();
    builder.rng_seed(1).fs().capacity(1 << 26);
    let mut sim = builder.build();
    sim.client("node", async {
        conformance::all(Arc::new(TurmoilDisk::new(1 << 26))).await;
        Ok(())
    });
    sim.run().unwrap();
}
