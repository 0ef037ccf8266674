use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::BoxFuture;

/// One node's data directory.
///
/// Paths are relative to it, use `/`, and never contain `..`. What is promised about durability, and nothing more:
///
/// * bytes written by [`File::write_at`] are readable at once and durable after a later successful [`File::sync`] of that file;
/// * a created, renamed or removed name is durable after a later successful [`Disk::sync_dir`] of its directory (a file's synced
///   *content* does not imply its *name*);
/// * until then power loss may keep any subset of the unsynced 4,096-byte blocks, in old, new or torn form, and any subset of the
///   unsynced operations on names; each of these is kept or lost as a whole (a rename leaves the old name or the new one), and none
///   is kept without the earlier ones about the same name or file;
/// * after a failed `sync` nothing is known about the unsynced bytes, and a later `sync` proves nothing: the caller must abort.
///
/// One conformance suite (`env::sim::conformance`, used by the tests of this crate) runs against every implementation.
pub trait Disk: Send + Sync + 'static {
    /// Creates a file for reading and writing; fails with `AlreadyExists` if the name exists.
    fn create(&self, path: &str) -> BoxFuture<'static, io::Result<Arc<dyn File>>>;

    /// Opens an existing file for reading and writing; fails with `NotFound` if there is none.
    fn open(&self, path: &str) -> BoxFuture<'static, io::Result<Arc<dyn File>>>;

    /// Creates a directory and its parents; an existing one is fine.
    fn create_dir(&self, path: &str) -> BoxFuture<'static, io::Result<()>>;

    /// The names in a directory, sorted, without their path; `NotFound` if there is no such directory.
    fn list(&self, path: &str) -> BoxFuture<'static, io::Result<Vec<String>>>;

    /// Renames a file, replacing the target atomically.
    fn rename(&self, from: &str, to: &str) -> BoxFuture<'static, io::Result<()>>;

    /// Removes a file; open handles stay readable.
    fn remove(&self, path: &str) -> BoxFuture<'static, io::Result<()>>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &str) -> BoxFuture<'static, io::Result<()>>;

    /// Bytes that can still be allocated on this file system.
    fn free_bytes(&self) -> BoxFuture<'static, io::Result<u64>>;

    /// Takes the exclusive lock `path` (a file made for it), held until the value is dropped or the process ends; `WouldBlock` if
    /// another process holds it.
    fn lock(&self, path: &str) -> BoxFuture<'static, io::Result<Box<dyn DirLock>>>;

    /// The same directory for a thread of its own, see [`crate::Env::for_dedicated`].
    fn for_dedicated(self: Arc<Self>) -> Arc<dyn Disk>;
}

/// An exclusive lock on a data directory, released on drop.
pub trait DirLock: Send + Sync + 'static {}

/// An open file. Positions are explicit; reads and writes of different ranges may run at once.
#[allow(clippy::len_without_is_empty, reason = "asking for the length is a call to the operating system")]
pub trait File: Send + Sync + 'static {
    /// Length in bytes.
    fn len(&self) -> BoxFuture<'static, io::Result<u64>>;

    /// Up to `length` bytes from `offset`; shorter only at the end of the file.
    fn read_at(&self, offset: u64, length: usize) -> BoxFuture<'static, io::Result<Bytes>>;

    /// Writes all of `slices`, one behind the other, from `offset` on, growing the file if needed. On an error any part of it may
    /// have been written.
    fn write_at(&self, offset: u64, slices: Vec<Bytes>) -> BoxFuture<'static, io::Result<()>>;

    /// `fdatasync`: makes everything written, and the length, durable.
    fn sync(&self) -> BoxFuture<'static, io::Result<()>>;

    /// Gives `offset..offset + length` back to the file system; it reads as zeros afterwards, and the length stays. A file system
    /// that cannot do it may leave the bytes as they are.
    fn punch_hole(&self, offset: u64, length: u64) -> BoxFuture<'static, io::Result<()>>;
}
