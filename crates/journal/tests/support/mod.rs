//! A journal over a disk in memory whose files a test can take away, cut and bring back.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![allow(dead_code, reason = "each test file uses a part of this")]

use std::time::Duration;

use bytes::Bytes;
use env::sim::{self, FaultDisk, ProcessEnd, SimClock};
use journal::{Assigned, Error, Frame, FrameKind, GroupLog, Journal, LogId, Options, RecoveryReport};
use telemetry::Telemetry;
use types::{GroupId, RecordNumber, TimestampMs};

/// Files of 62 pages behind their headers, and room in memory for whatever a test doesn't want flushed.
pub(crate) fn options() -> Options {
    Options {
        file_bytes: 256 << 10,
        files_max: 4,
        flush_bytes: 60 << 10,
        tail_budget_bytes: 2 << 20,
        block_bytes_max: 8 << 10,
        free_bytes_reserve: 0,
        index_every_bytes: 4 << 10,
        maintenance_interval: Duration::from_millis(50),
    }
}

/// Nothing is flushed for want of memory.
pub(crate) fn unflushed() -> Options {
    Options { flush_bytes: 1 << 30, tail_budget_bytes: 1 << 30, ..options() }
}

pub(crate) fn run<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(600), life).await.expect("the journal is stuck") })
}

pub(crate) async fn open_with(disk: &FaultDisk, options: Options) -> Result<(Journal, RecoveryReport), Error> {
    let env = sim::env(1, SimClock::new(0), disk.mount(), ProcessEnd::default());
    Journal::open(env, options, Telemetry::new()).await
}

pub(crate) async fn open(disk: &FaultDisk) -> (Journal, RecoveryReport) {
    open_with(disk, options()).await.unwrap()
}

/// Time for the flusher to do what is due.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

pub(crate) fn payload(group: u64, index: u64) -> Bytes {
    let mut bytes = vec![index as u8 | 1; 1500];
    bytes[..8].copy_from_slice(&group.to_le_bytes());
    bytes[8..16].copy_from_slice(&index.to_le_bytes());
    Bytes::from(bytes)
}

pub(crate) async fn append(log: &GroupLog, index: u64, payload: Bytes) {
    let (done, durable) = tokio::sync::oneshot::channel();
    let frame = Frame::new(log.id(), FrameKind::Normal, LogId { term: 1, index }, 0, payload);
    log.append(vec![frame], Box::new(move |result| drop(done.send(result))));
    durable.await.unwrap().unwrap();
}

pub(crate) fn apply(log: &GroupLog, from: u64, to: u64) {
    let assigned = |index| Assigned { index, first_record: RecordNumber(index), count: 1, arrival: TimestampMs(index) };
    log.applied(&(from..to).map(assigned).collect::<Vec<_>>(), Some(Bytes::from_static(b"state")));
}

/// Applies what was durable before the restart, as the owner of a group does.
pub(crate) fn apply_recovered(log: &GroupLog) -> u64 {
    let from = log.checkpoint().map_or(0, |checkpoint| checkpoint.log_id.index + 1);
    let end = log.last().map_or(0, |last| last.index + 1);
    apply(log, from, end);
    end
}

/// Appends and applies, one block each.
pub(crate) async fn append_all(log: &GroupLog, from: u64, to: u64) {
    for index in from..to {
        append(log, index, payload(log.id().0, index)).await;
        apply(log, index, index + 1);
    }
}

/// Reads all entries of a group; every one that is returned is the right one.
pub(crate) async fn read_all(journal: &Journal, group: u64) -> Result<u64, Error> {
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

pub(crate) fn refused(journal: &Journal, group: u64) -> bool {
    matches!(journal.group(GroupId(group)), Err(Error::GroupDamaged { .. }))
}

/// The files below a directory, in the order of their names.
pub(crate) fn files(disk: &FaultDisk, dir: &str) -> Vec<(String, Bytes)> {
    disk.files().into_iter().filter(|(path, _)| path.starts_with(dir)).collect()
}

pub(crate) fn remove(disk: &FaultDisk, path: &str) {
    run(async { disk.mount().remove(path).await.unwrap() });
}

/// Makes a file what it is not; `""` of the directory is synced too.
pub(crate) fn put(disk: &FaultDisk, path: &str, bytes: Bytes) {
    run(async {
        let mount = disk.mount();
        let _ = mount.remove(path).await;
        let file = mount.create(path).await.unwrap();
        file.write_at(0, vec![bytes]).await.unwrap();
        file.sync().await.unwrap();
        mount.sync_dir(path.split('/').next().unwrap()).await.unwrap();
    });
}

/// The journal file that holds a payload, and where.
pub(crate) fn find_in_journal(disk: &FaultDisk, needle: &Bytes) -> (String, usize) {
    let hit = files(disk, "journal/").into_iter().find_map(|(path, bytes)| {
        let at = bytes.windows(needle.len()).position(|window| window == needle)?;
        Some((path, at))
    });
    hit.unwrap()
}
