use std::time::Duration;

/// What can go wrong with a [`super::FaultDisk`], and how often. Rates are probabilities from 0 to 1.
///
/// The default never fails by itself and treats what is unsynced at a power loss in every way a disk may. Counts of what happened are
/// in [`FaultCounts`].
#[derive(Clone, Debug, PartialEq)]
pub struct FaultPlan {
    /// Bytes that fit on the disk, counted in blocks of 4,096; punched holes and removed files give theirs back.
    pub capacity_bytes: u64,
    /// Files that the process may have open at once.
    pub handles_max: usize,
    /// Time that reads, writes and operations on names take.
    pub latency: Latency,
    /// Time that syncs of files and directories take.
    pub sync_latency: Latency,
    /// How often all unsynced blocks of a file (or all unsynced names) share one fate at a power loss: in equal parts all lost, all
    /// kept, or kept up to a point. Otherwise each block has its own, by the next two rates.
    pub shared_fate_rate: f64,
    /// How often an unsynced block or name survives power loss.
    pub keep_rate: f64,
    /// How often an unsynced block survives power loss in part: some of its 512-byte sectors are new, the others old.
    pub tear_rate: f64,
    /// How often a torn block has one more sector that was being written when the power went: its *changed* bytes are garbage.
    /// Unchanged bytes of a rewritten sector keep their value, as drives promise ("powersafe overwrite").
    pub garbage_rate: f64,
    /// How often some sectors of an unsynced block reach the disk before the block is written again, so that a power loss may leave
    /// versions between the last synced and the newest.
    pub writeback_rate: f64,
    /// How often a read finds that one byte of its range has rotted, and stays so.
    pub rot_rate: f64,
    /// How often a read fails with an I/O error.
    pub read_error_rate: f64,
    /// How often a write fails with an I/O error, after a part of it.
    pub write_error_rate: f64,
    /// How often a sync of a file fails with an I/O error. Some of the unsynced blocks are then forgotten: they read as written, no
    /// later sync writes them, and power loss reveals it.
    pub sync_error_rate: f64,
    /// How often a sync of a directory fails with an I/O error.
    pub sync_dir_error_rate: f64,
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self {
            capacity_bytes: 1 << 40,
            handles_max: usize::MAX,
            latency: Latency::NONE,
            sync_latency: Latency { min: Duration::ZERO, max: Duration::from_millis(2) },
            shared_fate_rate: 0.5,
            keep_rate: 0.4,
            tear_rate: 0.3,
            garbage_rate: 0.2,
            writeback_rate: 0.05,
            rot_rate: 0.0,
            read_error_rate: 0.0,
            write_error_rate: 0.0,
            sync_error_rate: 0.0,
            sync_dir_error_rate: 0.0,
        }
    }
}

/// A span of virtual time from which each operation draws its duration; tokio's timer rounds it up to whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// The shortest duration.
    pub min: Duration,
    /// The longest duration.
    pub max: Duration,
}

impl Latency {
    /// No time at all: works without a tokio timer.
    pub const NONE: Latency = Latency { min: Duration::ZERO, max: Duration::ZERO };
}

/// A kind of call that can be made to fail once, see [`super::FaultDisk::fail_nth`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `File::read_at`.
    Read,
    /// `File::write_at`.
    Write,
    /// `File::sync`.
    Sync,
    /// `Disk::sync_dir`.
    SyncDir,
}

/// What a [`super::FaultDisk`] has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Reads that succeeded.
    pub reads: u64,
    /// Writes that succeeded.
    pub writes: u64,
    /// Syncs of files that succeeded.
    pub syncs: u64,
    /// Syncs of directories that succeeded.
    pub dir_syncs: u64,
    /// Power losses.
    pub power_losses: u64,
    /// Crashes of the process.
    pub process_crashes: u64,
    /// Unsynced blocks that a power loss took.
    pub blocks_lost: u64,
    /// Unsynced blocks that survived a power loss.
    pub blocks_kept: u64,
    /// Unsynced blocks that survived a power loss in part.
    pub blocks_torn: u64,
    /// Sectors with garbage after a power loss.
    pub sectors_garbled: u64,
    /// Times an unsynced block partly reached the disk before it was written again.
    pub writebacks: u64,
    /// Unsynced operations on names that a power loss undid.
    pub names_lost: u64,
    /// Unsynced operations on names that survived a power loss.
    pub names_kept: u64,
    /// Files that were shorter after a power loss.
    pub lengths_cut: u64,
    /// Bytes that have rotted.
    pub bytes_rotted: u64,
    /// Operations refused since the disk was full.
    pub refused_full: u64,
    /// Reads that failed with an I/O error.
    pub read_errors: u64,
    /// Writes that failed with an I/O error.
    pub write_errors: u64,
    /// Syncs of files that failed.
    pub sync_errors: u64,
    /// Syncs of directories that failed.
    pub sync_dir_errors: u64,
    /// Blocks that a failed sync has forgotten.
    pub blocks_abandoned: u64,
    /// Operations of a process that had crashed.
    pub dead_calls: u64,
}
