//! What the tests of the fault disk share.

use std::sync::Arc;

use bytes::Bytes;
use env::sim::{FaultDisk, FaultPlan, Latency};
use env::{Disk, File};

/// The value of a future that never waits: a disk without latency needs no runtime.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a disk without latency waited"),
    }
}

/// Nothing goes wrong, no time passes, and power loss takes everything unsynced.
pub(crate) fn strict() -> FaultPlan {
    FaultPlan {
        sync_latency: Latency::NONE,
        shared_fate_rate: 0.0,
        keep_rate: 0.0,
        tear_rate: 0.0,
        garbage_rate: 0.0,
        writeback_rate: 0.0,
        ..FaultPlan::default()
    }
}

/// The default plan without latency.
pub(crate) fn mixed() -> FaultPlan {
    FaultPlan { sync_latency: Latency::NONE, ..FaultPlan::default() }
}

/// A file `name` in the root whose name is durable.
pub(crate) fn durable_file(disk: &Arc<dyn Disk>, name: &str) -> Arc<dyn File> {
    let file = now(disk.create(name)).unwrap();
    now(disk.sync_dir("")).unwrap();
    file
}

/// Writes `bytes` at `offset`.
pub(crate) fn write(file: &Arc<dyn File>, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
    now(file.write_at(offset, vec![Bytes::copy_from_slice(bytes)]))
}

/// All bytes of the file `name`, as a process started now reads them.
pub(crate) fn content(disk: &FaultDisk, name: &str) -> Vec<u8> {
    disk.files().get(name).unwrap_or_else(|| panic!("no file {name}")).to_vec()
}
