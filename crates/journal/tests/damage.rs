//! Damage to stored bytes is noticed, told from a torn last write, and never served.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};
use env::{Disk, Env};
use journal::{Assigned, Error, Frame, FrameKind, GroupLog, Journal, LogId, Options, RecoveryReport};
use telemetry::Telemetry;
use types::{GroupId, RecordNumber, TimestampMs};

const ENTRIES: u64 = 60;

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

fn env(seed: u64, disk: &FaultDisk) -> Env {
    sim::env(seed, SimClock::new(0), disk.mount(), ProcessEnd::default())
}

fn run<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(life)
}

fn payload(group: u64, index: u64) -> Bytes {
    Bytes::from(vec![(group * 100 + index) as u8; 1500])
}

async fn append_all(log: &GroupLog, from: u64, to: u64) {
    for index in from..to {
        let (done, durable) = tokio::sync::oneshot::channel();
        let frame = Frame::new(log.id(), FrameKind::Normal, LogId { term: 1, index }, 0, payload(log.id().0, index));
        log.append(vec![frame], Box::new(move |result| done.send(result).unwrap()));
        durable.await.unwrap().unwrap();
        apply(log, index, index + 1);
    }
}

fn apply(log: &GroupLog, from: u64, to: u64) {
    let assigned = |index| Assigned { index, first_record: RecordNumber(index), count: 1, arrival: TimestampMs(index) };
    log.applied(&(from..to).map(assigned).collect::<Vec<_>>(), Some(Bytes::from_static(b"state")));
}

/// A directory with segments, a checkpoint, and journal blocks behind it, of two groups.
fn filled(seed: u64, close: bool) -> FaultDisk {
    let disk = FaultDisk::new(seed, FaultPlan::default());
    run(async {
        let (journal, _) = Journal::open(env(seed, &disk), options(), Telemetry::new()).await.unwrap();
        for group in 1..3 {
            append_all(&journal.group(GroupId(group)).unwrap(), 0, ENTRIES / 2).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        for group in 1..3 {
            append_all(&journal.group(GroupId(group)).unwrap(), ENTRIES / 2, ENTRIES).await;
        }
        if close {
            journal.close().await;
        }
    });
    disk.process_crash();
    disk
}

async fn open(seed: u64, disk: &FaultDisk) -> Result<(Journal, RecoveryReport), Error> {
    Journal::open(env(seed, disk), options(), Telemetry::new()).await
}

/// Reads all entries of a group; every one that is returned is the right one.
async fn read_all(journal: &Journal, group: u64) -> Result<u64, Error> {
    let log = journal.group(GroupId(group))?;
    let end = log.last().map_or(0, |last| last.index + 1);
    let mut next = 0;
    while next < end {
        for frame in log.read(next..end, 10_000).await? {
            assert_eq!(frame.payload, payload(group, next), "a wrong entry was served");
            next += 1;
        }
    }
    Ok(end)
}

#[test]
fn a_flipped_bit_anywhere_is_noticed_or_harmless_and_never_served() {
    let (mut refused, mut harmless) = (0, 0);
    for seed in 0..300 {
        let disk = filled(seed, true);
        let rotted = disk.rot_random("", 1);
        let opened = run(async {
            let (journal, report) = match open(1000 + seed, &disk).await {
                Err(Error::Damaged(_) | Error::Format { .. }) => return false,
                opened => opened.unwrap(),
            };
            let mut whole = report.damage.is_empty();
            for group in 1..3 {
                match read_all(&journal, group).await {
                    Ok(end) => {
                        assert_eq!(end, ENTRIES, "entries vanished silently after damage at {rotted:?}");
                    }
                    Err(Error::Damaged(_) | Error::GroupDamaged { .. }) => whole = false,
                    Err(error) => panic!("{error}"),
                }
            }
            whole
        });
        if opened { harmless += 1 } else { refused += 1 }
    }
    assert!(refused > 20 && harmless > 20, "{refused} refused, {harmless} harmless");
}

#[test]
fn damage_to_one_group_leaves_the_others_serving() {
    let disk = filled(7, true);
    // The last payload of the newest journal file's only frames: find one of group 2 and rot it.
    let needle = payload(2, ENTRIES - 1);
    let (path, offset) = disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("journal/"))
        .find_map(|(path, bytes)| {
            let at = bytes.windows(needle.len()).position(|window| window == needle)?;
            Some((path, at as u64))
        })
        .unwrap();
    assert!(disk.rot(&path, offset + 700));
    run(async {
        let (journal, report) = open(1, &disk).await.unwrap();
        assert_eq!(report.damage.len(), 1, "{report:?}");
        assert_eq!(report.damage[0].file, path);
        assert!(matches!(journal.group(GroupId(2)), Err(Error::GroupDamaged { .. })));
        assert_eq!(read_all(&journal, 1).await.unwrap(), ENTRIES);
    });
}

#[test]
fn an_interrupted_last_write_is_cut_and_the_log_goes_on() {
    for seed in 0..40 {
        let disk = filled(seed, false);
        run(async {
            let (journal, _) = open(1, &disk).await.unwrap();
            let log = journal.group(GroupId(1)).unwrap();
            let last = log.last().unwrap().index;
            let frames = (1..6)
                .map(|n| {
                    let log_id = LogId { term: 1, index: last + n };
                    Frame::new(log.id(), FrameKind::Normal, log_id, 0, payload(1, last + n))
                })
                .collect();
            log.append(frames, Box::new(drop));
            // The writer has written the block and waits for the sync.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        });
        disk.power_loss();
        run(async {
            let (journal, report) = open(2, &disk).await.unwrap();
            assert!(report.damage.is_empty(), "taken for damage: {report:?}");
            assert!(read_all(&journal, 1).await.unwrap() >= ENTRIES);
            let log = journal.group(GroupId(2)).unwrap();
            let from = log.checkpoint().map_or(0, |checkpoint| checkpoint.log_id.index + 1);
            apply(&log, from, ENTRIES);
            append_all(&log, ENTRIES, ENTRIES + 3).await;
            assert_eq!(read_all(&journal, 2).await.unwrap(), ENTRIES + 3);
        });
    }
}

#[test]
fn inspection_finds_what_recovery_finds_and_changes_nothing() {
    let disk = filled(3, true);
    let before = disk.files();
    let mount: Arc<dyn Disk> = disk.mount();
    let sound = run(journal::inspect(Arc::clone(&mount))).unwrap();
    assert!(sound.is_sound(), "{sound}");
    assert!(sound.segments > 0 && sound.blocks > 0, "{sound}");
    assert_eq!(sound.groups.len(), 2);
    let segment = before.keys().find(|path| path.starts_with("segments/")).unwrap();
    assert!(disk.rot(segment, 900));
    let damaged = run(journal::inspect(mount)).unwrap();
    assert_eq!(damaged.damage[0].file, *segment);
}

#[test]
fn a_closed_journal_is_opened_again_while_clones_of_it_are_still_held() {
    let disk = filled(1, true);
    run(async {
        let (first, _) = open(1, &disk).await.unwrap();
        let held = first.clone();
        first.close().await;
        drop(first);
        let (second, report) = open(2, &disk).await.unwrap();
        assert!(!report.torn_tail, "{report:?}");
        assert_eq!(second.groups(), held.groups());
    });
}

#[test]
fn a_directory_in_use_or_of_another_format_is_refused_with_a_reason() {
    let disk = filled(1, true);
    run(async {
        let (first, _) = open(1, &disk).await.unwrap();
        assert!(matches!(open(2, &disk).await, Err(Error::InUse)));
        drop(first);
    });
    disk.process_crash();
    run(async {
        let file = disk.mount().open("FORMAT").await.unwrap();
        file.write_at(0, vec![Bytes::from_static(b"thalweg data format 9\n")]).await.unwrap();
        let refused = open(3, &disk).await.err().unwrap();
        assert!(refused.to_string().contains("format 9"), "{refused}");
    });
}

#[test]
fn a_full_disk_refuses_records_and_recovers_when_space_returns() {
    let disk = FaultDisk::new(1, FaultPlan { capacity_bytes: 1 << 20, ..FaultPlan::default() });
    run(async {
        let mut options = options();
        options.free_bytes_reserve = 64 << 10;
        let (journal, _) = Journal::open(env(1, &disk), options, Telemetry::new()).await.unwrap();
        let log = journal.group(GroupId(1)).unwrap();
        let mut next = 0;
        while journal.admission().is_ok() && next < 2000 {
            append_all(&log, next, next + 1).await;
            next += 1;
            if next % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        assert!(next < 2000, "never refused");
        let refused_at = next;
        // Reads and purges go on.
        assert!(!log.read(0..5, u64::MAX).await.unwrap().is_empty());
        disk.set_capacity_bytes(16 << 20);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(journal.admission(), Ok(()));
        append_all(&log, refused_at, refused_at + 30).await;
        assert_eq!(read_all(&journal, 1).await.unwrap(), refused_at + 30);
    });
}

#[test]
fn a_draft_left_by_a_crash_in_the_first_checkpoint_is_removed() {
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(1, &disk).await.unwrap();
        journal.close().await;
        disk.mount().create("checkpoints/0000000000000001.draft").await.unwrap();
    });
    disk.process_crash();
    run(async {
        let (journal, _) = open(2, &disk).await.unwrap();
        append_all(&journal.group(GroupId(1)).unwrap(), 0, ENTRIES).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(journal::inspect(disk.mount()).await.unwrap().checkpoint > 0, "no checkpoint was written");
    });
}

#[test]
fn more_waits_than_the_journal_holds_and_all_of_it_becomes_durable() {
    const MANY: u64 = 2_000;
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(1, &disk).await.unwrap();
        let log = journal.group(GroupId(1)).unwrap();
        let (durable, mut durables) = tokio::sync::mpsc::unbounded_channel();
        for index in 0..MANY {
            let frame = Frame::new(log.id(), FrameKind::Normal, LogId { term: 1, index }, 0, payload(1, index));
            let durable = durable.clone();
            log.append(vec![frame], Box::new(move |result| durable.send(result.map(|()| index)).unwrap()));
        }
        let all = async {
            for expected in 0..MANY {
                assert_eq!(durables.recv().await.unwrap().unwrap(), expected);
                apply(&log, expected, expected + 1);
            }
        };
        tokio::time::timeout(Duration::from_secs(600), all).await.expect("the journal is stuck");
    });
}

#[test]
fn closing_waits_for_the_space_that_the_last_entries_need() {
    const MANY: u64 = 800;
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(1, &disk).await.unwrap();
        let log = journal.group(GroupId(1)).unwrap();
        let applier = log.clone();
        let (durable, mut durables) = tokio::sync::mpsc::unbounded_channel();
        for index in 0..MANY {
            let frame = Frame::new(log.id(), FrameKind::Normal, LogId { term: 1, index }, 0, payload(1, index));
            let durable = durable.clone();
            log.append(vec![frame], Box::new(move |result| durable.send(result.map(|()| index)).unwrap()));
        }
        tokio::spawn(async move {
            while let Some(Ok(index)) = durables.recv().await {
                apply(&applier, index, index + 1);
            }
        });
        tokio::time::timeout(Duration::from_secs(600), journal.close()).await.expect("closing is stuck");
    });
    disk.power_loss();
    run(async {
        let (journal, _) = open(2, &disk).await.unwrap();
        assert_eq!(read_all(&journal, 1).await.unwrap(), MANY);
    });
}
