//! What the handles, the writer and the flusher share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use env::Env;
use parking_lot::Mutex;
use telemetry::Telemetry;
use tokio::sync::{Notify, watch};
use types::GroupId;

use crate::file::JournalFile;
use crate::group::{Freed, Group};
use crate::open_files::OpenFiles;
use crate::queue::Queue;
use crate::segment::Segment;
use crate::{Options, Refusal};

/// A journal file that is full, and its newest block.
pub(crate) struct UsedFile {
    pub(crate) file: JournalFile,
    pub(crate) last_lsn: u64,
}

/// The journal's files but the one being written.
#[derive(Default)]
pub(crate) struct FilePool {
    pub(crate) spare: VecDeque<JournalFile>,
    pub(crate) used: VecDeque<UsedFile>,
    /// All files there are, the one being written included.
    pub(crate) count: usize,
    pub(crate) next_number: u64,
    pub(crate) next_generation: u64,
}

/// Which items of the queue a block holds.
struct BlockItems {
    lsn: u64,
    /// The number after its last item.
    end: u64,
}

/// The part of a group's tail that a flush has put into a segment: the first to go when memory is short.
struct Evictable {
    group: Arc<Group>,
    upto: u64,
}

/// Where the log stands at a start.
#[derive(Clone, Copy)]
pub(crate) struct Lsns {
    /// The oldest block that was played back.
    pub(crate) replay: u64,
    /// The newest one that holds frames.
    pub(crate) synced: u64,
    /// The one to be written next.
    pub(crate) next: u64,
}

pub(crate) struct Shared {
    pub(crate) env: Env,
    pub(crate) options: Options,
    pub(crate) telemetry: Telemetry,
    pub(crate) queue: Queue,
    pub(crate) groups: Mutex<BTreeMap<GroupId, Arc<Group>>>,
    pub(crate) segments: Mutex<BTreeMap<u64, Arc<Segment>>>,
    pub(crate) segment_files: Arc<OpenFiles>,
    pub(crate) pool: Mutex<FilePool>,
    /// Wakes the writer when a spare file has been made.
    pub(crate) spare_made: Notify,
    pub(crate) flusher_wake: Notify,
    pub(crate) disk_full: AtomicBool,
    /// The node will not serve: nothing is flushed, recycled or removed any more.
    pub(crate) frozen: AtomicBool,
    /// Why what is stored of the catalog can't be used.
    pub(crate) catalog_loss: OnceLock<String>,
    /// How many files have got their first block. A checkpoint then notes how far the log reaches, so that a file that is missing at a
    /// later start is missed.
    pub(crate) files_begun: AtomicU64,
    /// Set by `close`; the flusher ends.
    pub(crate) closing: AtomicBool,
    /// How many of writer and flusher have ended.
    pub(crate) ended: watch::Sender<u32>,
    next_lsn: AtomicU64,
    /// The newest synced block that holds frames.
    synced_lsn: AtomicU64,
    /// The blocks since the newest checkpoint, oldest first.
    blocks: Mutex<VecDeque<BlockItems>>,
    tail_bytes: AtomicU64,
    unflushed_bytes: AtomicU64,
    /// Of these, how many nobody had applied at the last flush.
    unapplied_bytes: AtomicU64,
    evictable: Mutex<VecDeque<Evictable>>,
}

impl FilePool {
    /// The newest block of the oldest used file, if the writer finds no file before that one is recycled: no more may be made, or none can
    /// be since space is short.
    pub(crate) fn oldest_awaited(&self, is_short: bool, files_max: usize) -> Option<u64> {
        let is_awaited = self.spare.is_empty() && (is_short || self.count >= files_max);
        self.used.front().filter(|_| is_awaited).map(|used| used.last_lsn)
    }
}

impl Shared {
    /// Entries that were played back have their block's number as their item's.
    pub(crate) fn new(
        env: Env,
        options: Options,
        telemetry: Telemetry,
        lsns: Lsns,
        segment_files: Arc<OpenFiles>,
    ) -> Self {
        let Lsns { replay: replay_lsn, synced: synced_lsn, next: next_lsn } = lsns;
        Self {
            env,
            options,
            telemetry,
            queue: Queue::new(next_lsn),
            groups: Mutex::default(),
            segments: Mutex::default(),
            segment_files,
            pool: Mutex::default(),
            spare_made: Notify::new(),
            flusher_wake: Notify::new(),
            disk_full: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
            catalog_loss: OnceLock::new(),
            files_begun: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            ended: watch::Sender::new(0),
            next_lsn: AtomicU64::new(next_lsn),
            synced_lsn: AtomicU64::new(synced_lsn),
            blocks: Mutex::new((replay_lsn..next_lsn).map(|lsn| BlockItems { lsn, end: lsn + 1 }).collect()),
            tail_bytes: AtomicU64::new(0),
            unflushed_bytes: AtomicU64::new(0),
            unapplied_bytes: AtomicU64::new(0),
            evictable: Mutex::default(),
        }
    }

    /// The block to be written next, or being written. Whatever is queued from now on stands in no older one.
    pub(crate) fn next_lsn(&self) -> u64 {
        self.next_lsn.load(Ordering::Acquire)
    }

    /// The block `lsn`, which holds the items below `end` that no older block holds, is about to be written.
    pub(crate) fn begin_block(&self, lsn: u64, end: u64) {
        let mut blocks = self.blocks.lock();
        // The mark at the journal's end holds no items; searching needs the ends to be in order.
        let end = blocks.back().map_or(end, |newest| newest.end.max(end));
        blocks.push_back(BlockItems { lsn, end });
    }

    /// The block has been written and synced.
    pub(crate) fn end_block(&self, lsn: u64, frames: usize) {
        if frames > 0 {
            self.synced_lsn.store(lsn, Ordering::Release);
        }
        self.next_lsn.store(lsn + 1, Ordering::Release);
    }

    /// The newest synced block that holds frames. The mark at the end of a stopped node's journal is none: it may be lost.
    pub(crate) fn synced_lsn(&self) -> u64 {
        self.synced_lsn.load(Ordering::Acquire)
    }

    /// The block that holds an item; the next one if it has not been written yet.
    pub(crate) fn lsn_of(&self, item: u64) -> u64 {
        let blocks = self.blocks.lock();
        let at = blocks.partition_point(|block| block.end <= item);
        blocks.get(at).map_or_else(|| self.next_lsn(), |block| block.lsn)
    }

    /// Nobody asks any more for items of blocks below `lsn`.
    pub(crate) fn forget_blocks(&self, lsn: u64) {
        let mut blocks = self.blocks.lock();
        let gone = blocks.partition_point(|block| block.lsn < lsn);
        blocks.drain(..gone);
    }

    pub(crate) fn tail_grew(&self, bytes: u64) {
        let tail = self.tail_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let unflushed = self.unflushed_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.is_flush_worth(unflushed) {
            self.flusher_wake.notify_one();
        }
        if tail > self.options.tail_budget_bytes {
            self.evict();
        }
    }

    /// Whether there is enough to flush, beside what nobody had applied at the last flush.
    pub(crate) fn is_flush_worth(&self, unflushed: u64) -> bool {
        unflushed >= self.options.flush_bytes.saturating_add(self.unapplied_bytes.load(Ordering::Relaxed))
    }

    pub(crate) fn note_unapplied(&self, bytes: u64) {
        self.unapplied_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn has_unapplied(&self) -> bool {
        self.unapplied_bytes.load(Ordering::Relaxed) > 0
    }

    /// So much has been applied, and may be flushed. Whose it was does not matter: what is taken off too early makes a flush come sooner.
    pub(crate) fn some_applied(&self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let taken = |left: u64| Some(left.saturating_sub(bytes));
        let _ = self.unapplied_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        if self.is_flush_worth(self.unflushed_bytes()) {
            self.flusher_wake.notify_one();
        }
    }

    pub(crate) fn tail_shrank(&self, freed: Freed) {
        self.tail_bytes.fetch_sub(freed.bytes, Ordering::Relaxed);
        self.unflushed_bytes.fetch_sub(freed.unflushed, Ordering::Relaxed);
    }

    /// A flush has put `bytes` of the group's tail, up to index `upto`, into a segment.
    pub(crate) fn settled(&self, group: &Arc<Group>, upto: u64, bytes: u64) {
        self.unflushed_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.evictable.lock().push_back(Evictable { group: Arc::clone(group), upto });
    }

    /// Drops the oldest settled tails until the budget holds, or nothing settled is left.
    pub(crate) fn evict(&self) {
        while self.tail_bytes() > self.options.tail_budget_bytes {
            let Some(oldest) = self.evictable.lock().pop_front() else { return };
            let freed = oldest.group.inner.lock().evict(oldest.upto);
            self.tail_shrank(freed);
        }
    }

    pub(crate) fn tail_bytes(&self) -> u64 {
        self.tail_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn unflushed_bytes(&self) -> u64 {
        self.unflushed_bytes.load(Ordering::Relaxed)
    }

    /// Whether new records may be taken. Votes, trims and reads are never refused.
    pub(crate) fn admission(&self) -> Result<(), Refusal> {
        if self.disk_full.load(Ordering::Relaxed) {
            return Err(Refusal::DiskFull);
        }
        if self.has_room() { Ok(()) } else { Err(Refusal::Overloaded) }
    }

    /// Whether memory takes more entries, full disk or not.
    pub(crate) fn has_room(&self) -> bool {
        self.unflushed_bytes() < self.options.tail_budget_bytes
    }

    pub(crate) fn mark_damaged(&self, group: &Group, reason: String) {
        let mut inner = group.inner.lock();
        if inner.damaged.is_none() {
            inner.damaged = Some(reason);
            // One that has left is no longer counted.
            if !inner.dropped {
                self.telemetry.groups_damaged.inc();
            }
        }
    }

    /// One of writer and flusher has ended.
    pub(crate) fn note_ended(&self) {
        self.ended.send_modify(|ended| *ended += 1);
    }
}

#[cfg(test)]
mod tests {
    use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};

    use super::*;

    #[test]
    fn an_item_is_found_in_its_block_also_behind_the_mark_at_the_end() {
        let disk = FaultDisk::new(1, FaultPlan::default());
        let env = sim::env(1, SimClock::new(0), disk.mount(), ProcessEnd::default());
        let (lsns, files) = (Lsns { replay: 1, synced: 0, next: 1 }, OpenFiles::new(disk.mount(), 1));
        let shared = Shared::new(env, Options::default(), Telemetry::new(), lsns, files);
        for (lsn, end) in [(1, 10), (2, 0)] {
            shared.begin_block(lsn, end);
            shared.end_block(lsn, end as usize);
        }
        assert_eq!(shared.synced_lsn(), 1, "the mark holds nothing");
        assert_eq!([0, 9, 10].map(|item| shared.lsn_of(item)), [1, 1, 3]);
    }
}
