//! What is acknowledged survives crashes, and state is what the log says.

use env::sim::{FaultDisk, FaultPlan, ProcessEnd};

use crate::machine::Numbers;
use crate::world::{open, open_with, peek, put, read_from, run, world};

#[test]
fn entries_are_numbered_in_order_and_survive_restarts_and_power_loss() {
    let disk = FaultDisk::new(1, FaultPlan::default());
    for life in 0..6 {
        run(async {
            let (_journal, group) = open(world(life, &disk, &ProcessEnd::default())).await;
            assert_eq!(read_from(&group, 0).await, (0..life * 50).collect::<Vec<_>>());
            for n in life * 50..(life + 1) * 50 {
                assert_eq!(put(&group, n).await, n);
            }
        });
        disk.power_loss();
    }
}

#[test]
fn a_machine_without_checkpoints_is_rebuilt_from_its_log_in_segments() {
    let disk = FaultDisk::new(5, FaultPlan::default());
    let machine = Numbers::new(true);
    run(async {
        let (_journal, group) = open_with(world(1, &disk, &ProcessEnd::default()), machine.clone()).await;
        // Some at once, so that they land in blocks and applies of many, but no more than the journal admits.
        for first in (0..3000).step_by(50) {
            let puts = (first..first + 50).map(|n| put(&group, n));
            assert_eq!(futures_util::future::join_all(puts).await, (first..first + 50).collect::<Vec<_>>());
        }
    });
    disk.power_loss();
    run(async {
        let (_journal, group) = open_with(world(2, &disk, &ProcessEnd::default()), machine).await;
        assert_eq!(peek(&group).await, 3000);
        assert_eq!(read_from(&group, 0).await, (0..3000).collect::<Vec<_>>());
    });
}
