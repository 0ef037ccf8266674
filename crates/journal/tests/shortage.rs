//! Too few file descriptors, too little space, groups that nobody applies: nothing of it ends the process or stops the others.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};
use journal::{Journal, LogId, Options, Refusal};
use support::*;
use telemetry::Telemetry;
use types::GroupId;

fn disk() -> FaultDisk {
    FaultDisk::new(1, FaultPlan::default())
}

async fn open_watched(disk: &FaultDisk, options: Options) -> (Journal, ProcessEnd) {
    let end = ProcessEnd::default();
    let env = sim::env(1, SimClock::new(0), disk.mount(), end.clone());
    (Journal::open(env, options, Telemetry::new()).await.unwrap().0, end)
}

#[test]
fn many_segments_need_few_file_descriptors() {
    let disk = FaultDisk::new(1, FaultPlan { handles_max: 150, ..FaultPlan::default() });
    let small = || Options { flush_bytes: 2 << 10, ..options() };
    let written = run(async {
        let (journal, end) = open_watched(&disk, small()).await;
        let log = journal.group(GroupId(1)).unwrap();
        let mut next = 0;
        while disk.mount().list("segments").await.unwrap().len() < 200 {
            append_all(&log, next, next + 3).await;
            next += 3;
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        }
        assert_eq!(end.reason(), None);
        journal.close().await;
        next
    });
    disk.process_crash();
    run(async {
        let (journal, _) = open_watched(&disk, small()).await;
        assert_eq!(read_all(&journal, 1).await.unwrap(), written);
    });
}

#[test]
fn a_process_without_file_descriptors_goes_on_and_flushes_when_there_are_some() {
    let disk = disk();
    run(async {
        let (journal, end) = open_watched(&disk, options()).await;
        let log = journal.group(GroupId(1)).unwrap();
        settle().await;
        disk.change_plan(|plan| plan.handles_max = 0);
        append_all(&log, 0, 150).await;
        settle().await;
        assert_eq!(end.reason(), None);
        assert!(files(&disk, "segments/").is_empty());
        disk.change_plan(|plan| plan.handles_max = 1000);
        append_all(&log, 150, 600).await;
        settle().await;
        assert_eq!(end.reason(), None);
        assert!(!files(&disk, "segments/").is_empty());
        assert_eq!(read_all(&journal, 1).await.unwrap(), 600);
    });
}

#[test]
fn on_a_full_disk_the_files_that_there_are_suffice_for_trims() {
    let disk = FaultDisk::new(1, FaultPlan { capacity_bytes: 1_500 << 10, ..FaultPlan::default() });
    run(async {
        let (journal, end) = open_watched(&disk, Options { files_max: 20, ..unflushed() }).await;
        let log = journal.group(GroupId(1)).unwrap();
        append_all(&log, 0, 400).await;
        settle().await;
        assert!(journal.admission().is_err(), "the disk is nearly full");
        log.purge(LogId { term: 1, index: 390 }).await.unwrap();
        settle().await;
        append_all(&log, 400, 700).await;
        assert_eq!(end.reason(), None);
    });
}

#[test]
fn a_full_disk_does_not_hide_that_memory_is_full() {
    let disk = FaultDisk::new(1, FaultPlan { capacity_bytes: 1_500 << 10, ..FaultPlan::default() });
    run(async {
        let small = Options { files_max: 20, tail_budget_bytes: 150 << 10, ..unflushed() };
        let (journal, end) = open_watched(&disk, small).await;
        let log = journal.group(GroupId(1)).unwrap();
        let mut next = 0;
        while journal.admission() != Err(Refusal::DiskFull) {
            append_all(&log, next, next + 20).await;
            settle().await;
            next += 20;
        }
        assert!(!log.has_room(), "{next} entries in memory");
        assert_eq!(end.reason(), None);
    });
}

/// A group with entries that were never applied, whose owner gives it up at the next start, beside one with many entries.
fn given_up_beside(entries: u64) -> FaultDisk {
    let disk = disk();
    run(async {
        let (journal, _) = open(&disk).await;
        let log = journal.group(GroupId(1)).unwrap();
        for index in 0..40 {
            append(&log, index, payload(1, index)).await;
        }
    });
    disk.process_crash();
    run(async {
        let (journal, _) = open(&disk).await;
        journal.give_up(GroupId(1), "its state cannot be restored".into());
        assert!(refused(&journal, 1));
        append_all(&journal.group(GroupId(2)).unwrap(), 0, entries).await;
        settle().await;
        assert_eq!(journal.admission(), Ok(()));
        journal.close().await;
    });
    disk.process_crash();
    disk
}

#[test]
fn a_group_that_its_owner_gave_up_does_not_stop_the_others() {
    let disk = given_up_beside(2000);
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(refused(&journal, 1), "it came back as a shorter one");
        assert!(report.damage[0].what.contains("its state cannot be restored"), "{report:?}");
        assert_eq!(read_all(&journal, 2).await.unwrap(), 2000);
    });
}

#[test]
fn a_group_that_its_owner_gave_up_is_whole_for_a_later_start_while_there_is_room() {
    let disk = given_up_beside(80);
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(report.damage.is_empty(), "{report:?}");
        assert_eq!(read_all(&journal, 1).await.unwrap(), 40);
        assert_eq!(read_all(&journal, 2).await.unwrap(), 80);
    });
}
