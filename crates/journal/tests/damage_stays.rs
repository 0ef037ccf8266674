//! Damage found once is still known after checkpoints and restarts, and costs neither other groups nor what can be saved.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::time::Duration;

use bytes::Bytes;
use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};
use journal::{Assigned, Error, Frame, FrameKind, GroupLog, Journal, LogId, Options, RecoveryReport};
use telemetry::Telemetry;
use types::{GroupId, RecordNumber, TimestampMs};

fn options() -> Options {
    Options {
        file_bytes: 256 << 10,
        files_max: 4,
        flush_bytes: 60 << 10,
        tail_budget_bytes: 90 << 10,
        block_bytes_max: 8 << 10,
        free_bytes_reserve: 0,
        index_every_bytes: 4 << 10,
        maintenance_interval: Duration::from_millis(50),
    }
}

fn run<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(600), life).await.expect("the journal is stuck") })
}

async fn open(disk: &FaultDisk) -> (Journal, RecoveryReport) {
    let env = sim::env(1, SimClock::new(0), disk.mount(), ProcessEnd::default());
    Journal::open(env, options(), Telemetry::new()).await.unwrap()
}

fn payload(group: u64, index: u64) -> Bytes {
    Bytes::from(vec![(group * 100 + index % 100) as u8; 1500])
}

async fn append_all(log: &GroupLog, from: u64, to: u64) {
    for index in from..to {
        let (done, durable) = tokio::sync::oneshot::channel();
        let frame = Frame::new(log.id(), FrameKind::Normal, LogId { term: 1, index }, 0, payload(log.id().0, index));
        log.append(vec![frame], Box::new(move |result| done.send(result).unwrap()));
        durable.await.unwrap().unwrap();
        let assigned = Assigned { index, first_record: RecordNumber(index), count: 1, arrival: TimestampMs(index) };
        log.applied(&[assigned], Some(Bytes::from_static(b"state")));
    }
}

/// Rots the only copy of an entry in the journal.
fn rot_in_journal(disk: &FaultDisk, group: u64, index: u64) {
    let needle = payload(group, index);
    let hit = disk.files().into_iter().filter(|(path, _)| path.starts_with("journal/")).find_map(|(path, bytes)| {
        let at = bytes.windows(needle.len()).position(|window| window == needle)?;
        Some((path, at as u64))
    });
    let (path, at) = hit.unwrap();
    assert!(disk.rot(&path, at + 700));
}

/// Ten entries of group 1, of which `rotten` is damaged, then so many of group 2 that all journal files are used again.
fn damaged_then_used_on(rotten: u64) -> FaultDisk {
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(&disk).await;
        append_all(&journal.group(GroupId(1)).unwrap(), 0, 10).await;
        append_all(&journal.group(GroupId(2)).unwrap(), 0, 3).await;
    });
    disk.process_crash();
    rot_in_journal(&disk, 1, rotten);
    run(async {
        let (journal, report) = open(&disk).await;
        assert_eq!(report.damage.len(), 1);
        assert!(matches!(journal.group(GroupId(1)), Err(Error::GroupDamaged { .. })));
        let log = journal.group(GroupId(2)).unwrap();
        let assigned =
            |index| Assigned { index, first_record: RecordNumber(index), count: 1, arrival: TimestampMs(index) };
        log.applied(&(0..3).map(assigned).collect::<Vec<_>>(), Some(Bytes::from_static(b"state")));
        append_all(&log, 3, 2000).await;
        assert_eq!(journal.admission(), Ok(()));
        journal.close().await;
    });
    disk.process_crash();
    disk
}

#[test]
fn a_group_whose_first_entry_is_damaged_does_not_come_back_as_a_shorter_one() {
    let disk = damaged_then_used_on(0);
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(matches!(journal.group(GroupId(1)), Err(Error::GroupDamaged { .. })), "the damage is forgotten");
        assert_eq!(report.damage.len(), 1, "{report:?}");
    });
}

#[test]
fn a_damaged_group_does_not_keep_the_journal_from_recycling() {
    let disk = damaged_then_used_on(5);
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(matches!(journal.group(GroupId(1)), Err(Error::GroupDamaged { .. })), "the damage is forgotten");
        assert_eq!(report.damage.len(), 1, "{report:?}");
    });
}

#[test]
fn a_damaged_segment_is_kept_for_whoever_can_save_something() {
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(&disk).await;
        append_all(&journal.group(GroupId(1)).unwrap(), 0, 100).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        journal.close().await;
    });
    disk.process_crash();
    let files = disk.files();
    let (segment, bytes) = files.iter().find(|(path, _)| path.starts_with("segments/")).unwrap();
    assert!(disk.rot(segment, bytes.len() as u64 - 4));
    for _ in 0..2 {
        run(async {
            let (journal, report) = open(&disk).await;
            assert_eq!(report.damage.len(), 1, "{report:?}");
            assert!(matches!(journal.group(GroupId(1)), Err(Error::GroupDamaged { .. })));
            let log = journal.group(GroupId(2)).unwrap();
            let from = log.last().map_or(0, |last| last.index + 1);
            let assigned =
                |index| Assigned { index, first_record: RecordNumber(index), count: 1, arrival: TimestampMs(index) };
            let known = log.checkpoint().map_or(0, |checkpoint| checkpoint.log_id.index + 1);
            log.applied(&(known..from).map(assigned).collect::<Vec<_>>(), Some(Bytes::from_static(b"state")));
            append_all(&log, from, from + 100).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            journal.close().await;
        });
        disk.process_crash();
        assert!(disk.files().contains_key(segment), "the damaged segment was deleted");
    }
}

#[test]
fn a_group_dropped_just_before_a_crash_gives_its_segments_back() {
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(&disk).await;
        append_all(&journal.group(GroupId(1)).unwrap(), 0, 100).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        journal.drop_group(GroupId(1)).await.unwrap();
    });
    disk.process_crash();
    run(async {
        let (_journal, _) = open(&disk).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    });
    assert!(!disk.files().keys().any(|path| path.starts_with("segments/")), "the segment stays for ever");
}

#[test]
fn reading_one_entry_does_not_read_the_rest_of_its_segment() {
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(&disk).await;
        append_all(&journal.group(GroupId(1)).unwrap(), 0, 100).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        journal.close().await;
    });
    disk.process_crash();
    let files = disk.files();
    let (segment, bytes) = files.iter().find(|(path, _)| path.starts_with("segments/")).unwrap();
    // Whoever read so far would find this.
    let last =
        bytes.windows(1500).rposition(|window| window.iter().all(|byte| *byte == window[0] && *byte > 100)).unwrap();
    assert!(disk.rot(segment, last as u64 + 700));
    run(async {
        let (journal, _) = open(&disk).await;
        let frames = journal.group(GroupId(1)).unwrap().read(0..1, u64::MAX).await.unwrap();
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].payload, payload(1, 0));
    });
}

#[test]
fn a_node_whose_catalog_is_damaged_leaves_its_journal_as_it_is() {
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(&disk).await;
        for (group, entries) in [(GroupId::CATALOG, 10), (GroupId(2), 100)] {
            let log = journal.group(group).unwrap();
            for index in 0..entries {
                let (done, durable) = tokio::sync::oneshot::channel();
                let log_id = LogId { term: 1, index };
                let frame = Frame::new(group, FrameKind::Normal, log_id, 0, payload(group.0, index));
                log.append(vec![frame], Box::new(move |result| done.send(result).unwrap()));
                durable.await.unwrap().unwrap();
            }
        }
    });
    disk.process_crash();
    rot_in_journal(&disk, 0, 5);
    run(async {
        let (_journal, _) = open(&disk).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    disk.process_crash();
    let found = run(journal::inspect(disk.mount())).unwrap();
    assert!(found.damage.iter().any(|damage| damage.file.starts_with("journal/")), "{found}");
}

#[test]
fn a_damaged_group_that_leaves_is_no_longer_counted() {
    let disk = damaged_then_used_on(5);
    run(async {
        let telemetry = Telemetry::new();
        let env = sim::env(1, SimClock::new(0), disk.mount(), ProcessEnd::default());
        let (journal, _) = Journal::open(env, options(), telemetry.clone()).await.unwrap();
        assert!(journal.group(GroupId(1)).is_err());
        assert_eq!(telemetry.groups_damaged.get(), 1);
        // Marked again, it is still one.
        journal.give_up(GroupId(1), "and cannot be restored".into());
        assert_eq!(telemetry.groups_damaged.get(), 1);
        journal.drop_group(GroupId(1)).await.unwrap();
        assert_eq!(telemetry.groups_damaged.get(), 0);
        journal.close().await;
    });
}
