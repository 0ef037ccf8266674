//! Groups whose entries nobody applies, as without a quorum: they hold up nobody, and lose nothing.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use env::sim::{FaultDisk, FaultPlan};
use journal::{Frame, FrameKind, GroupLog, Journal, LogId, Vote};
use support::*;
use types::GroupId;

/// Blocks enough to go through all journal files several times.
const MANY: u64 = 1_500;
/// Entries that are not applied.
const WAITING: u64 = 20;

async fn append_waiting(log: &GroupLog, from: u64, to: u64, term: u64) {
    for index in from..to {
        let (done, durable) = tokio::sync::oneshot::channel();
        let frame = Frame::new(log.id(), FrameKind::Normal, LogId { term, index }, 0, payload(log.id().0, index));
        log.append(vec![frame], Box::new(move |result| drop(done.send(result))));
        durable.await.unwrap().unwrap();
    }
}

/// A group that waits, beside one that goes on.
fn with_waiting() -> FaultDisk {
    let disk = FaultDisk::new(1, FaultPlan::default());
    run(async {
        let (journal, _) = open(&disk).await;
        let (waiting, busy) = (journal.group(GroupId(1)).unwrap(), journal.group(GroupId(2)).unwrap());
        append_waiting(&waiting, 0, WAITING, 1).await;
        append_all(&busy, 0, MANY).await;
        // What could bring it a leader gets through.
        waiting.save_vote(Vote { term: 2, node: 1, committed: false }).await.unwrap();
    });
    disk.power_loss();
    disk
}

async fn waits_whole(journal: &Journal, end: u64) -> GroupLog {
    let waiting = journal.group(GroupId(1)).unwrap();
    assert_eq!(read_all(journal, 1).await.unwrap(), end);
    assert!(waiting.checkpoint().is_none(), "nobody has applied it");
    waiting
}

#[test]
fn a_group_that_waits_holds_nobody_up_and_is_whole_after_any_number_of_restarts() {
    let disk = with_waiting();
    let mut busy_end = MANY;
    for _ in 0..3 {
        run(async {
            let (journal, report) = open(&disk).await;
            assert!(report.damage.is_empty(), "{report:?}");
            let waiting = waits_whole(&journal, WAITING).await;
            assert_eq!(waiting.vote(), Some(Vote { term: 2, node: 1, committed: false }));
            let busy = journal.group(GroupId(2)).unwrap();
            assert_eq!(apply_recovered(&busy), busy_end);
            append_all(&busy, busy_end, busy_end + MANY).await;
            journal.close().await;
        });
        busy_end += MANY;
        disk.power_loss();
    }
    run(async {
        let (journal, _) = open(&disk).await;
        let waiting = waits_whole(&journal, WAITING).await;
        apply_recovered(&waiting);
        append_all(&waiting, WAITING, MANY).await;
    });
    disk.power_loss();
    run(async {
        let (journal, report) = open(&disk).await;
        assert!(report.damage.is_empty(), "{report:?}");
        assert_eq!(read_all(&journal, 1).await.unwrap(), MANY);
        assert!(journal.group(GroupId(1)).unwrap().checkpoint().is_some());
    });
}

#[test]
fn what_a_new_leader_puts_in_the_place_of_waiting_entries_stays() {
    let disk = with_waiting();
    run(async {
        let (journal, _) = open(&disk).await;
        let waiting = journal.group(GroupId(1)).unwrap();
        waiting.truncate_after(Some(LogId { term: 1, index: 9 })).await.unwrap();
        append_waiting(&waiting, 10, 15, 3).await;
    });
    disk.power_loss();
    for _ in 0..2 {
        run(async {
            let (journal, report) = open(&disk).await;
            assert!(report.damage.is_empty(), "{report:?}");
            let waiting = waits_whole(&journal, 15).await;
            assert_eq!(waiting.last(), Some(LogId { term: 3, index: 14 }));
            let terms: Vec<u64> =
                waiting.read(0..15, 1 << 20).await.unwrap().iter().map(|frame| frame.log_id.term).collect();
            assert_eq!(terms, [vec![1; 10], vec![3; 5]].concat());
            let busy = journal.group(GroupId(2)).unwrap();
            let end = apply_recovered(&busy);
            append_all(&busy, end, end + MANY).await;
        });
        disk.power_loss();
    }
}
