//! What every [`Disk`] must do, whoever made it: one scenario per function. Each takes a disk and works in a directory of its own.
//!
//! A scenario panics when the disk breaks the contract.
#![allow(clippy::unwrap_used, reason = "a test suite: a panic is the report")]

use std::io::{self, ErrorKind};
use std::sync::Arc;

use bytes::Bytes;

use crate::{Disk, File};

/// Runs every scenario on `disk`, one after the other.
pub async fn all(disk: Arc<dyn Disk>) {
    // The data directory itself may not be there yet.
    disk.create_dir("").await.unwrap();
    creating_and_opening_fail_as_promised(&disk).await;
    directories_nest_and_list_sorted(&disk).await;
    bytes_are_read_back_at_their_offsets(&disk).await;
    a_write_past_the_end_leaves_zeros_between(&disk).await;
    an_overwrite_changes_only_its_range(&disk).await;
    a_write_of_many_slices_is_one_range(&disk).await;
    reads_end_at_the_end_of_the_file(&disk).await;
    two_handles_see_one_file(&disk).await;
    a_rename_replaces_its_target_and_handles_follow(&disk).await;
    a_removed_file_lives_on_in_its_handles(&disk).await;
    a_removed_name_can_be_made_anew(&disk).await;
    a_punched_hole_reads_as_zeros_and_keeps_the_length(&disk).await;
    a_lock_excludes_until_it_is_dropped(&disk).await;
    paths_out_of_the_directory_are_refused(&disk).await;
    the_disk_has_free_space(&disk).await;
    the_disk_of_a_dedicated_thread_is_the_same(&disk).await;
}

fn kind<T>(result: io::Result<T>) -> ErrorKind {
    result.err().expect("the call should have failed").kind()
}

fn pattern(seed: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(31).wrapping_add(seed * 7 + at / 251) % 255 + 1) as u8).collect()
}

async fn file_with(disk: &Arc<dyn Disk>, path: &str, bytes: &[u8]) -> Arc<dyn File> {
    let file = disk.create(path).await.unwrap();
    file.write_at(0, vec![Bytes::copy_from_slice(bytes)]).await.unwrap();
    file
}

async fn content(file: &Arc<dyn File>) -> Vec<u8> {
    let length = file.len().await.unwrap();
    file.read_at(0, length as usize).await.unwrap().to_vec()
}

/// `create` of a name that exists, and all that needs a name that doesn't.
pub async fn creating_and_opening_fail_as_promised(disk: &Arc<dyn Disk>) {
    disk.create_dir("errors/dir").await.unwrap();
    assert_eq!(kind(disk.open("errors/none").await), ErrorKind::NotFound);
    assert_eq!(kind(disk.remove("errors/none").await), ErrorKind::NotFound);
    assert_eq!(kind(disk.rename("errors/none", "errors/other").await), ErrorKind::NotFound);
    assert_eq!(kind(disk.list("errors/none").await), ErrorKind::NotFound);
    assert_eq!(kind(disk.sync_dir("errors/none").await), ErrorKind::NotFound);
    assert_eq!(kind(disk.create("errors/none/file").await), ErrorKind::NotFound);

    let file = disk.create("errors/file").await.unwrap();
    assert_eq!(file.len().await.unwrap(), 0);
    assert_eq!(kind(disk.create("errors/file").await), ErrorKind::AlreadyExists);
    assert_eq!(kind(disk.create("errors/dir").await), ErrorKind::AlreadyExists);
    disk.open("errors/file").await.unwrap();
    assert_eq!(disk.list("errors").await.unwrap(), ["dir", "file"]);
}

/// Nested directories, made twice.
pub async fn directories_nest_and_list_sorted(disk: &Arc<dyn Disk>) {
    disk.create_dir("dirs/a/b").await.unwrap();
    disk.create_dir("dirs/a/b").await.unwrap();
    for name in ["zeta", "alpha", "10", "9"] {
        disk.create(&format!("dirs/a/{name}")).await.unwrap();
    }
    assert_eq!(disk.list("dirs/a").await.unwrap(), ["10", "9", "alpha", "b", "zeta"]);
    assert_eq!(disk.list("dirs").await.unwrap(), ["a"]);
    assert_eq!(disk.list("dirs/a/b").await.unwrap(), Vec::<String>::new());
    assert!(disk.list("").await.unwrap().contains(&"dirs".to_owned()));
    disk.sync_dir("dirs/a").await.unwrap();
    disk.sync_dir("").await.unwrap();
}

/// Writes in and across blocks, before and after a sync and by another handle.
pub async fn bytes_are_read_back_at_their_offsets(disk: &Arc<dyn Disk>) {
    disk.create_dir("offsets").await.unwrap();
    let bytes = pattern(1, 20_000);
    let file = file_with(disk, "offsets/file", &bytes).await;
    for synced in [false, true] {
        for (offset, length) in [(0, 1), (4_095, 2), (4_096, 4_096), (1, 19_999), (511, 9_000), (19_999, 1)] {
            let read = file.read_at(offset as u64, length).await.unwrap();
            assert_eq!(read, bytes[offset..offset + length], "{length} bytes at {offset}, synced: {synced}");
        }
        file.sync().await.unwrap();
    }
    drop(file);
    assert_eq!(content(&disk.open("offsets/file").await.unwrap()).await, bytes);
}

/// Growth over a gap.
pub async fn a_write_past_the_end_leaves_zeros_between(disk: &Arc<dyn Disk>) {
    disk.create_dir("growth").await.unwrap();
    let file = file_with(disk, "growth/file", b"start").await;
    file.write_at(10_000, vec![Bytes::from_static(b"end")]).await.unwrap();
    let mut expected = b"start".to_vec();
    expected.resize(10_000, 0);
    expected.extend_from_slice(b"end");
    assert_eq!(file.len().await.unwrap(), 10_003);
    assert_eq!(content(&file).await, expected);
    file.sync().await.unwrap();
    assert_eq!(content(&file).await, expected);
}

/// Neighbours keep their bytes.
pub async fn an_overwrite_changes_only_its_range(disk: &Arc<dyn Disk>) {
    disk.create_dir("overwrite").await.unwrap();
    let mut bytes = pattern(2, 12_288);
    let file = file_with(disk, "overwrite/file", &bytes).await;
    file.sync().await.unwrap();
    for (offset, length) in [(0, 10), (4_090, 12), (8_191, 1), (12_280, 8)] {
        let new = pattern(offset as u64, length);
        file.write_at(offset as u64, vec![Bytes::copy_from_slice(&new)]).await.unwrap();
        bytes[offset..offset + length].copy_from_slice(&new);
    }
    assert_eq!(content(&file).await, bytes);
}

/// More slices than one system call takes, empty ones among them.
pub async fn a_write_of_many_slices_is_one_range(disk: &Arc<dyn Disk>) {
    disk.create_dir("slices").await.unwrap();
    let slices: Vec<Bytes> = (0..3_000).map(|n| Bytes::from(pattern(n, n as usize % 17))).collect();
    let file = disk.create("slices/file").await.unwrap();
    file.write_at(7, slices.clone()).await.unwrap();
    assert_eq!(content(&file).await, [vec![0; 7], slices.concat()].concat());

    file.write_at(100_000, vec![]).await.unwrap();
    file.write_at(100_000, vec![Bytes::new()]).await.unwrap();
    assert_eq!(file.len().await.unwrap(), 7 + slices.concat().len() as u64, "nothing written, but the file grew");
}

/// Short reads, and none at all.
pub async fn reads_end_at_the_end_of_the_file(disk: &Arc<dyn Disk>) {
    disk.create_dir("end").await.unwrap();
    let file = file_with(disk, "end/file", b"0123456789").await;
    assert_eq!(file.read_at(7, 100).await.unwrap(), &b"789"[..]);
    assert!(file.read_at(10, 1).await.unwrap().is_empty());
    assert!(file.read_at(1 << 40, 1).await.unwrap().is_empty());
    assert!(file.read_at(3, 0).await.unwrap().is_empty());
}

/// Without a sync in between.
pub async fn two_handles_see_one_file(disk: &Arc<dyn Disk>) {
    disk.create_dir("handles").await.unwrap();
    let one = file_with(disk, "handles/file", b"one").await;
    let two = disk.open("handles/file").await.unwrap();
    assert_eq!(content(&two).await, b"one");
    two.write_at(3, vec![Bytes::from_static(b" two")]).await.unwrap();
    assert_eq!(content(&one).await, b"one two");
}

/// Replaced target, old handles, directories in between.
pub async fn a_rename_replaces_its_target_and_handles_follow(disk: &Arc<dyn Disk>) {
    disk.create_dir("rename/sub").await.unwrap();
    let new = file_with(disk, "rename/new", b"new").await;
    let old = file_with(disk, "rename/sub/target", b"old content").await;
    disk.rename("rename/new", "rename/sub/target").await.unwrap();
    assert_eq!(disk.list("rename").await.unwrap(), ["sub"]);
    assert_eq!(content(&disk.open("rename/sub/target").await.unwrap()).await, b"new");
    assert_eq!(content(&old).await, b"old content");

    new.write_at(3, vec![Bytes::from_static(b"er")]).await.unwrap();
    new.sync().await.unwrap();
    disk.sync_dir("rename").await.unwrap();
    disk.sync_dir("rename/sub").await.unwrap();
    assert_eq!(content(&disk.open("rename/sub/target").await.unwrap()).await, b"newer");

    disk.rename("rename/sub/target", "rename/sub/target").await.unwrap();
    assert_eq!(content(&new).await, b"newer");
}

/// Reads and writes behind a removed name.
pub async fn a_removed_file_lives_on_in_its_handles(disk: &Arc<dyn Disk>) {
    disk.create_dir("remove").await.unwrap();
    let file = file_with(disk, "remove/file", b"still here").await;
    disk.remove("remove/file").await.unwrap();
    disk.sync_dir("remove").await.unwrap();
    assert_eq!(disk.list("remove").await.unwrap(), Vec::<String>::new());
    assert_eq!(kind(disk.open("remove/file").await), ErrorKind::NotFound);
    assert_eq!(content(&file).await, b"still here");
    file.write_at(10, vec![Bytes::from_static(b", and more")]).await.unwrap();
    file.sync().await.unwrap();
    assert_eq!(content(&file).await, b"still here, and more");
    assert_eq!(file.len().await.unwrap(), 20);
}

/// The new file has nothing of the old one.
pub async fn a_removed_name_can_be_made_anew(disk: &Arc<dyn Disk>) {
    disk.create_dir("anew").await.unwrap();
    let old = file_with(disk, "anew/file", &pattern(3, 9_000)).await;
    disk.remove("anew/file").await.unwrap();
    let new = disk.create("anew/file").await.unwrap();
    assert_eq!(new.len().await.unwrap(), 0);
    new.write_at(5_000, vec![Bytes::from_static(b"x")]).await.unwrap();
    new.sync().await.unwrap();
    disk.sync_dir("anew").await.unwrap();
    assert_eq!(content(&new).await, [vec![0; 5_000], b"x".to_vec()].concat());
    assert_eq!(content(&old).await, pattern(3, 9_000));
}

/// Whole blocks and parts of blocks, and past the end.
pub async fn a_punched_hole_reads_as_zeros_and_keeps_the_length(disk: &Arc<dyn Disk>) {
    disk.create_dir("hole").await.unwrap();
    let mut bytes = pattern(4, 20_480);
    let file = file_with(disk, "hole/file", &bytes).await;
    file.sync().await.unwrap();
    for (offset, length) in [(4_096, 8_192), (100, 50), (16_000, 1_000_000), (4_000, 0), (1 << 30, 4_096)] {
        file.punch_hole(offset as u64, length as u64).await.unwrap();
        let end = bytes.len().min(offset + length);
        bytes[offset.min(end)..end].fill(0);
        assert_eq!(content(&file).await, bytes, "after a hole of {length} bytes at {offset}");
    }
    file.sync().await.unwrap();
    file.write_at(5_000, vec![Bytes::from_static(b"again")]).await.unwrap();
    bytes[5_000..5_005].copy_from_slice(b"again");
    assert_eq!(content(&file).await, bytes);
}

/// A second lock fails at once; other paths are free.
pub async fn a_lock_excludes_until_it_is_dropped(disk: &Arc<dyn Disk>) {
    disk.create_dir("lock").await.unwrap();
    let held = disk.lock("lock/LOCK").await.unwrap();
    assert_eq!(kind(disk.lock("lock/LOCK").await), ErrorKind::WouldBlock);
    let other = disk.lock("lock/OTHER").await.unwrap();
    drop(held);
    let again = disk.lock("lock/LOCK").await.unwrap();
    assert_eq!(disk.list("lock").await.unwrap(), ["LOCK", "OTHER"]);
    drop((other, again));
}

/// Absolute paths and `..`.
pub async fn paths_out_of_the_directory_are_refused(disk: &Arc<dyn Disk>) {
    for path in ["../file", "/file", "errors/../../file"] {
        assert_eq!(kind(disk.create(path).await), ErrorKind::InvalidInput, "{path}");
        assert_eq!(kind(disk.list(path).await), ErrorKind::InvalidInput, "{path}");
    }
}

/// More than nothing.
pub async fn the_disk_has_free_space(disk: &Arc<dyn Disk>) {
    assert!(disk.free_bytes().await.unwrap() > 1 << 20);
}

/// Both see each other's writes.
pub async fn the_disk_of_a_dedicated_thread_is_the_same(disk: &Arc<dyn Disk>) {
    disk.create_dir("dedicated").await.unwrap();
    let dedicated = Arc::clone(disk).for_dedicated();
    let file = file_with(&dedicated, "dedicated/file", b"from the thread").await;
    assert_eq!(content(&disk.open("dedicated/file").await.unwrap()).await, b"from the thread");
    drop(file);
    disk.remove("dedicated/file").await.unwrap();
    assert_eq!(kind(dedicated.open("dedicated/file").await), ErrorKind::NotFound);
}
