//! Snapshots at the trim point: what is before it goes, nothing behind it does.

use std::time::Duration;

use env::sim::{FaultDisk, FaultPlan, ProcessEnd};
use raft_group::RaftGroup;

use crate::machine::trim_to;
use crate::world::{open, peek, put, read_from, run, try_put, world};

fn numbers(range: std::ops::Range<u64>) -> Vec<u64> {
    range.collect()
}

/// 60 of 100 records trimmed and compacted, then power loss; returns what the next life reads.
fn records_after_compaction_and_power_loss(seed: u64) -> (Vec<u64>, u64) {
    let disk = FaultDisk::new(seed, FaultPlan::default());
    run(async {
        let (_journal, group) = open(world(1, &disk, &ProcessEnd::default())).await;
        for n in 0..100 {
            put(&group, n).await;
        }
        group.compact().await.unwrap();
        assert_eq!(group.log().purged(), None, "nothing is trimmed yet");
        trim_to(&group, 60).await;
        group.compact().await.unwrap();
        assert!(group.log().purged().is_some_and(|purged| purged.index >= 60));
        group.compact().await.unwrap();
    });
    disk.power_loss();
    run(async {
        let (_journal, group) = open(world(2, &disk, &ProcessEnd::default())).await;
        let snapshot = group.log().snapshot().unwrap();
        assert_eq!(Some(snapshot.log_id), group.log().purged(), "the log begins behind the snapshot");
        (read_from(&group, 0).await, peek(&group).await)
    })
}

#[test]
fn compaction_drops_what_is_before_the_trim_point_and_nothing_after_it() {
    assert_eq!(records_after_compaction_and_power_loss(2), (numbers(60..100), 100));
}

#[cfg(feature = "planted-bugs")]
#[test]
fn a_snapshot_at_the_applied_index_loses_records() {
    use types::planted::{Bug, plant};
    plant(Some(Bug::SnapshotAtAppliedIndex));
    let (records, next) = records_after_compaction_and_power_loss(2);
    plant(None);
    assert_eq!((records, next), (vec![], 100));
}

/// What the outside knows of the group, over its lives.
struct Known {
    acknowledged: u64,
    /// What has been asked to be trimmed, acknowledged or not.
    trimmed: u64,
}

impl Known {
    /// Puts, and every ten records trims and compacts, until the process dies.
    async fn work(&mut self, group: &RaftGroup) {
        let mut next = peek(group).await;
        let readable = read_from(group, self.trimmed).await;
        assert_eq!(readable, numbers(self.trimmed..next), "what is not trimmed is there");
        assert!(next >= self.acknowledged, "{next} records of {} acknowledged ones", self.acknowledged);
        loop {
            assert_eq!(try_put(group, next).await.unwrap(), next);
            next += 1;
            self.acknowledged = next;
            if next.is_multiple_of(10) {
                self.trimmed = next - 4;
                trim_to(group, self.trimmed).await;
                group.compact().await.unwrap();
            }
        }
    }
}

#[test]
fn a_crash_at_any_point_of_a_compaction_loses_nothing() {
    let mut unfinished = 0;
    for seed in 0..30 {
        let disk = FaultDisk::new(seed, FaultPlan::default());
        let mut known = Known { acknowledged: filled(&disk, seed), trimmed: 0 };
        for life in 1..13 {
            run(async {
                let lifetime = Duration::from_millis(20 + (seed * 7 + life * 13) % 40);
                let end = ProcessEnd::default();
                let _ = tokio::time::timeout(lifetime, async {
                    let (_journal, group) = open(world(seed * 100 + life, &disk, &end)).await;
                    known.work(&group).await;
                })
                .await;
                assert_eq!(end.reason(), None, "seed {seed}");
            });
            if life % 3 == 0 {
                disk.process_crash()
            } else {
                disk.power_loss()
            }
            unfinished += u32::from(snapshot_is_not_yet_purged(&disk, seed));
        }
        assert!(known.trimmed > 10, "seed {seed}: the lives were too short for a compaction");
    }
    assert!(unfinished > 5, "the crashes hit between snapshot and purge only {unfinished} times");
}

/// Fills the log until a part of it is in a segment, so that restarts begin at a checkpoint; returns the number of records.
fn filled(disk: &FaultDisk, seed: u64) -> u64 {
    run(async {
        let (_journal, group) = open(world(seed * 100, disk, &ProcessEnd::default())).await;
        let mut next = 0;
        while group.log().checkpoint().is_none() {
            next = put(&group, next).await + 1;
        }
        next
    })
}

fn snapshot_is_not_yet_purged(disk: &FaultDisk, seed: u64) -> bool {
    run(async {
        let env = world(seed, disk, &ProcessEnd::default());
        let telemetry = telemetry::Telemetry::new();
        let (journal, _) = journal::Journal::open(env, crate::machine::options(), telemetry).await.unwrap();
        let log = journal.group(types::GroupId(5)).unwrap();
        log.snapshot().map(|snapshot| snapshot.log_id) > log.purged()
    })
}
