use crate::block::ALIGNMENT;
use crate::frame::FRAME_HEADER_LEN;

/// Sizes and bounds of the journal.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of one journal file. Bounds the largest entry, which must fit into one file.
    pub file_bytes: u64,
    /// Journal files kept at most, spare ones included.
    pub files_max: usize,
    /// Tails are written to a segment once this many bytes of them are in none.
    pub flush_bytes: u64,
    /// Memory for the tails of all groups. New records are refused when what is not yet in a segment alone fills it.
    pub tail_budget_bytes: u64,
    /// Bytes gathered into one block at most, a single larger entry excepted.
    pub block_bytes_max: u64,
    /// New records are refused when less than this and the tail budget is free.
    pub free_bytes_reserve: u64,
    /// Distance between two points of a segment's sparse index.
    pub index_every_bytes: u64,
    /// Check of free space and retries after a full disk.
    pub maintenance_interval: std::time::Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            files_max: 8,
            flush_bytes: 64 << 20,
            tail_budget_bytes: 256 << 20,
            block_bytes_max: 8 << 20,
            free_bytes_reserve: 256 << 20,
            index_every_bytes: 64 << 10,
            maintenance_interval: std::time::Duration::from_secs(1),
        }
    }
}

impl Options {
    /// The largest payload of one entry.
    pub fn payload_bytes_max(&self) -> u64 {
        self.body_bytes_max() - FRAME_HEADER_LEN as u64
    }

    /// The largest body of a block that fits into a file, with its header and what aligns it.
    pub(crate) fn body_bytes_max(&self) -> u64 {
        self.file_bytes - crate::file::HEADER_BYTES - ALIGNMENT
    }
}
