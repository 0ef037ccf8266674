//! Files that are missing, cut or blank at a start: noticed, nothing of the rest is deleted, and all is there when they come back.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use bytes::Bytes;
use env::sim::{FaultDisk, FaultPlan};
use journal::{Error, Journal, RecoveryReport};
use support::*;
use types::GroupId;

const CATALOG: u64 = GroupId::CATALOG.0;

fn disk() -> FaultDisk {
    FaultDisk::new(1, FaultPlan::default())
}

/// Group `group` with 100 entries in segments, and 10 more and all of group 3 in the journal alone.
fn half_in_segments(group: u64) -> FaultDisk {
    let disk = disk();
    run(async {
        let (journal, _) = open(&disk).await;
        let log = journal.group(GroupId(group)).unwrap();
        append_all(&log, 0, 100).await;
        settle().await;
        for index in 100..110 {
            append(&log, index, payload(group, index)).await;
        }
        let other = journal.group(GroupId(3)).unwrap();
        for index in 0..60 {
            append(&other, index, payload(3, index)).await;
        }
    });
    disk.process_crash();
    disk
}

fn take_segments(disk: &FaultDisk) -> Vec<(String, Bytes)> {
    let segments = files(disk, "segments/");
    assert!(!segments.is_empty());
    segments.iter().for_each(|(path, _)| remove(disk, path));
    segments
}

/// Writes to group 2 what flushes and fills many journal files.
async fn use_on(journal: &Journal, entries: u64) {
    apply_recovered(&journal.group(GroupId(3)).unwrap());
    let log = journal.group(GroupId(2)).unwrap();
    append_all(&log, 0, entries).await;
    settle().await;
}

#[test]
fn what_the_journal_holds_of_a_group_is_there_again_when_its_segment_is() {
    let disk = half_in_segments(1);
    let segments = take_segments(&disk);
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(!report.damage.is_empty() && refused(&journal, 1), "{report:?}");
        use_on(&journal, 50).await;
        journal.close().await;
    });
    disk.process_crash();
    segments.into_iter().for_each(|(path, bytes)| put(&disk, &path, bytes));
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(report.damage.is_empty(), "{report:?}");
        assert_eq!(read_all(&journal, 1).await.unwrap(), 110, "acknowledged entries are gone");
        assert_eq!(read_all(&journal, 2).await.unwrap(), 50);
    });
}

#[test]
fn a_group_whose_journal_had_to_be_let_go_never_serves_again() {
    let disk = half_in_segments(1);
    let segments = take_segments(&disk);
    run(async {
        let (journal, _) = open(&disk).await;
        use_on(&journal, 2000).await;
        assert_eq!(journal.admission(), Ok(()));
        journal.close().await;
    });
    disk.process_crash();
    segments.into_iter().for_each(|(path, bytes)| put(&disk, &path, bytes));
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(refused(&journal, 1), "it came back as a shorter one");
        assert_eq!(report.damage.len(), 1, "{report:?}");
        assert!(report.damage[0].what.contains("let go"), "{report:?}");
        assert_eq!(read_all(&journal, 2).await.unwrap(), 2000);
    });
}

#[test]
fn a_start_without_the_catalogs_segment_flushes_nothing_and_loses_nothing() {
    let disk = half_in_segments(CATALOG);
    let segments = take_segments(&disk);
    let before = files(&disk, "checkpoints/");
    for _ in 0..3 {
        run(async {
            let (journal, report) = open(&disk).await;
            assert!(!report.damage.is_empty() && refused(&journal, CATALOG), "{report:?}");
            settle().await;
            journal.close().await;
        });
        disk.process_crash();
        assert_eq!(files(&disk, "checkpoints/"), before, "a start that cannot serve wrote a checkpoint");
    }
    segments.into_iter().for_each(|(path, bytes)| put(&disk, &path, bytes));
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(report.damage.is_empty(), "{report:?}");
        assert_eq!(read_all(&journal, CATALOG).await.unwrap(), 110);
        assert_eq!(read_all(&journal, 3).await.unwrap(), 60);
    });
}

/// Opens twice: what a first start noticed must be noticed by the next one too, and no file may go.
fn noticed_for_good(disk: &FaultDisk) -> RecoveryReport {
    let kept: Vec<_> = disk.files().into_keys().collect();
    let mut first = None;
    for _ in 0..3 {
        run(async {
            let (journal, report) = open(disk).await;
            assert!(!report.damage.is_empty(), "nothing was noticed");
            for group in [CATALOG, 1] {
                assert!(refused(&journal, group), "group {group} serves what is left of it");
            }
            first.get_or_insert(report);
            settle().await;
            journal.close().await;
        });
        disk.process_crash();
        let now = disk.files();
        kept.iter().for_each(|path| assert!(now.contains_key(path), "{path} was deleted"));
    }
    first.unwrap()
}

#[test]
fn a_journal_without_any_file_beside_a_checkpoint_is_damage() {
    let disk = half_in_segments(1);
    files(&disk, "journal/").iter().for_each(|(path, _)| remove(&disk, path));
    let report = noticed_for_good(&disk);
    assert!(report.damage.iter().any(|damage| damage.what.contains("no journal file")), "{report:?}");
}

#[test]
fn a_journal_file_in_use_that_is_cut_short_is_damage() {
    let disk = half_in_segments(1);
    let (path, at) = find_in_journal(&disk, &payload(3, 30));
    let bytes = disk.files()[&path].slice(..at - at % 4096);
    put(&disk, &path, bytes);
    let report = noticed_for_good(&disk);
    assert!(report.damage.iter().any(|damage| damage.file == path && damage.what.contains("bytes")), "{report:?}");
}

#[test]
fn the_newest_journal_file_in_use_is_missed() {
    let disk = disk();
    run(async {
        let (journal, _) = open_with(&disk, unflushed()).await.unwrap();
        append_all(&journal.group(GroupId(1)).unwrap(), 0, 90).await;
        settle().await;
    });
    disk.process_crash();
    let (path, _) = find_in_journal(&disk, &payload(1, 89));
    assert_ne!(path, find_in_journal(&disk, &payload(1, 0)).0);
    remove(&disk, &path);
    let report = noticed_for_good(&disk);
    assert!(report.damage.iter().any(|damage| damage.what.contains("missing")), "{report:?}");
}

#[test]
fn after_a_clean_stop_every_block_is_missed() {
    for blank in 1..4 {
        let disk = disk();
        run(async {
            let (journal, _) = open_with(&disk, unflushed()).await.unwrap();
            append_all(&journal.group(GroupId(1)).unwrap(), 0, 20).await;
            journal.close().await;
        });
        disk.process_crash();
        let (path, at) = find_in_journal(&disk, &payload(1, 20 - blank));
        let mut bytes = disk.files()[&path].to_vec();
        bytes[at - at % 4096..].fill(0);
        put(&disk, &path, bytes.into());
        noticed_for_good(&disk);
    }
}

#[test]
fn a_rotten_last_block_of_a_stopped_node_is_no_interrupted_write() {
    let disk = disk();
    run(async {
        let (journal, _) = open_with(&disk, unflushed()).await.unwrap();
        append_all(&journal.group(GroupId(1)).unwrap(), 0, 20).await;
        append_all(&journal.group(GroupId(2)).unwrap(), 0, 20).await;
        journal.close().await;
    });
    disk.process_crash();
    // The mark behind it is gone too.
    let (path, at) = find_in_journal(&disk, &payload(2, 19));
    let mut bytes = disk.files()[&path].to_vec();
    bytes[at + 700] ^= 1;
    bytes[at - at % 4096 + 4096..].fill(0);
    put(&disk, &path, bytes.into());
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(!report.torn_tail && report.damage.len() == 1, "{report:?}");
        assert!(refused(&journal, 2));
        assert_eq!(read_all(&journal, 1).await.unwrap(), 20, "the others are not concerned");
    });
}

#[test]
fn without_a_checkpoint_no_segment_is_deleted() {
    let disk = half_in_segments(1);
    files(&disk, "checkpoints/").iter().for_each(|(path, _)| remove(&disk, path));
    let report = noticed_for_good(&disk);
    assert!(report.damage.iter().any(|damage| damage.what.contains("no checkpoint")), "{report:?}");
}

#[test]
fn a_journal_file_in_use_with_a_blank_header_is_kept() {
    let disk = half_in_segments(1);
    let (path, _) = find_in_journal(&disk, &payload(3, 59));
    let mut bytes = disk.files()[&path].to_vec();
    bytes[..8192].fill(0);
    put(&disk, &path, bytes.into());
    let report = noticed_for_good(&disk);
    assert!(report.damage.iter().any(|damage| damage.file == path && damage.what.contains("header")), "{report:?}");
}

#[test]
fn a_file_whose_making_was_interrupted_is_no_damage() {
    let disk = half_in_segments(1);
    put(&disk, "journal/000077.journal", Bytes::from(vec![0; 256 << 10]));
    run(async {
        let (_journal, report) = open(&disk).await;
        assert!(report.damage.is_empty(), "{report:?}");
        settle().await;
    });
    assert!(!disk.files().contains_key("journal/000077.journal"));
}

#[test]
fn a_cut_block_is_not_found_again_when_the_log_goes_on_in_the_next_file() {
    let disk = disk();
    run(async {
        let (journal, _) = open_with(&disk, unflushed()).await.unwrap();
        append_all(&journal.group(GroupId(1)).unwrap(), 0, 60).await;
    });
    disk.process_crash();
    let (path, at) = find_in_journal(&disk, &payload(1, 59));
    assert!(disk.rot(&path, at as u64 + 700));
    run(async {
        let (journal, report) = open_with(&disk, unflushed()).await.unwrap();
        assert!(report.torn_tail && report.damage.is_empty(), "{report:?}");
        let log = journal.group(GroupId(1)).unwrap();
        apply_recovered(&log);
        // Five pages, where three are left.
        append(&log, 59, Bytes::from(vec![7; 20_000])).await;
    });
    disk.process_crash();
    run(async {
        let (journal, report) = open_with(&disk, unflushed()).await.unwrap();
        assert!(report.damage.is_empty(), "{report:?}");
        assert_eq!(journal.group(GroupId(1)).unwrap().last().unwrap().index, 59);
    });
}

#[test]
fn a_log_that_ends_before_what_was_committed_is_damage() {
    let disk = disk();
    run(async {
        let (journal, _) = open_with(&disk, unflushed()).await.unwrap();
        let log = journal.group(GroupId(1)).unwrap();
        append_all(&log, 0, 5).await;
        // What no owner does, and stands for entries that vanished below a note.
        log.save_committed(journal::LogId { term: 1, index: 9 });
        append_all(&journal.group(GroupId(2)).unwrap(), 0, 5).await;
    });
    disk.process_crash();
    run(async {
        let (journal, _) = open(&disk).await;
        assert!(matches!(journal.group(GroupId(1)), Err(Error::GroupDamaged { .. })));
        assert_eq!(read_all(&journal, 2).await.unwrap(), 5);
    });
}

#[test]
fn a_start_does_not_wait_for_the_removal_of_what_nobody_needs() {
    let disk = half_in_segments(1);
    let leftovers: Vec<_> = (100..140).map(|id| format!("segments/{id:016}.segment")).collect();
    leftovers.iter().for_each(|path| put(&disk, path, Bytes::from_static(b"of a deleted stream")));
    let left = || leftovers.iter().filter(|path| disk.files().contains_key(*path)).count();
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(report.damage.is_empty(), "{report:?}");
        assert_eq!(left(), 40, "the start has removed some");
        apply_recovered(&journal.group(GroupId(1)).unwrap());
        // A flush meanwhile takes none of their numbers.
        use_on(&journal, 60).await;
        assert_eq!(left(), 0);
        assert_eq!(read_all(&journal, 1).await.unwrap(), 110);
    });
}

#[test]
fn inspection_calls_no_directory_sound_whose_groups_are_refused() {
    let disk = half_in_segments(1);
    let segments = take_segments(&disk);
    let [(first, _), .., (_, other)] = &segments[..] else { panic!("one segment is too few: {}", segments.len()) };
    for (path, bytes) in &segments {
        put(&disk, path, if path == first { other.clone() } else { bytes.clone() });
    }
    let inspection = run(journal::inspect(disk.mount())).unwrap();
    assert!(!inspection.is_sound(), "{inspection}");
    run(async {
        let (journal, _) = open(&disk).await;
        assert!(refused(&journal, 1));
    });
}

#[test]
fn a_start_that_is_refused_for_a_missing_journal_file_changes_nothing() {
    let mut refusals = 0;
    for place in 0..files(&half_in_segments(CATALOG), "journal/").len() {
        let disk = half_in_segments(CATALOG);
        let (path, bytes) = files(&disk, "journal/").swap_remove(place);
        remove(&disk, &path);
        let is_refused = run(async {
            let Ok((journal, _)) = open_with(&disk, options()).await else { return true };
            let is_refused = refused(&journal, CATALOG);
            journal.close().await;
            is_refused
        });
        if !is_refused {
            continue;
        }
        refusals += 1;
        put(&disk, &path, bytes);
        let inspection = run(journal::inspect(disk.mount())).unwrap();
        assert!(inspection.is_sound(), "{path}: {inspection}");
    }
    assert!(refusals > 0, "no journal file was missed");
}

#[test]
fn a_missing_segment_is_forgotten_once_all_that_missed_it_are_gone() {
    let disk = half_in_segments(1);
    take_segments(&disk);
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(!report.damage.is_empty() && refused(&journal, 1), "{report:?}");
        journal.drop_group(GroupId(1)).await.unwrap();
        use_on(&journal, 300).await;
        journal.close().await;
    });
    disk.process_crash();
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(report.damage.is_empty() && !refused(&journal, 2), "{report:?}");
        assert_eq!(read_all(&journal, 2).await.unwrap(), 300);
    });
    let inspection = run(journal::inspect(disk.mount())).unwrap();
    assert!(inspection.is_sound(), "{inspection}");
}
