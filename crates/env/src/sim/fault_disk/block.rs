use std::sync::{Arc, LazyLock};

use super::dice::{Dice, Fate};
use super::plan::{FaultCounts, FaultPlan};

/// Bytes that are lost, kept or torn as one: a page of the cache and a block of the file system.
pub(super) const BLOCK_BYTES: usize = 4096;

/// Bytes that the drive writes as one.
pub(super) const SECTOR_BYTES: usize = 512;

/// The content of a block. Shared between the two sides of a clean block, and by all blocks of zeros.
pub(super) type Page = Arc<[u8; BLOCK_BYTES]>;

static ZEROS: LazyLock<Page> = LazyLock::new(|| Arc::new([0; BLOCK_BYTES]));

/// One block of a file, in the cache and on the disk.
pub(super) struct Block {
    /// What reads see.
    cached: Page,
    /// What power loss leaves, unless the block is unsynced.
    stored: Page,
    /// Rises with each change of `cached`.
    version: u64,
    /// The version that was synced last; equal to `version` when the block is clean.
    stored_version: u64,
    /// Whether it takes up space; a punched hole doesn't.
    pub(super) allocated: bool,
    /// Unsynced, but forgotten by a failed sync: no later sync writes it.
    abandoned: bool,
}

/// What a sync writes: the block as it was when the sync began.
pub(super) struct Snapshot {
    pub(super) number: u64,
    cached: Page,
    version: u64,
}

impl Block {
    /// A block that was never written.
    pub(super) fn hole() -> Self {
        Self {
            cached: Arc::clone(&ZEROS),
            stored: Arc::clone(&ZEROS),
            version: 0,
            stored_version: 0,
            allocated: false,
            abandoned: false,
        }
    }

    pub(super) fn bytes(&self) -> &[u8; BLOCK_BYTES] {
        &self.cached
    }

    pub(super) fn is_clean(&self) -> bool {
        self.version == self.stored_version
    }

    /// Neither takes space nor has anything left to sync: the same as no block at all.
    pub(super) fn is_hole(&self) -> bool {
        self.is_clean() && !self.allocated
    }

    /// Changes the bytes from `start` on, in the cache.
    pub(super) fn write(&mut self, start: usize, bytes: &[u8]) {
        self.version += 1;
        self.abandoned = false;
        if bytes == &ZEROS[..] {
            // Files are zeroed ahead by the megabyte: one page for all of that.
            self.cached = Arc::clone(&ZEROS);
        } else {
            Arc::make_mut(&mut self.cached)[start..start + bytes.len()].copy_from_slice(bytes);
        }
    }

    /// The kernel writes some sectors of an unsynced block whenever it likes.
    pub(super) fn maybe_write_back(&mut self, dice: &mut Dice, plan: &FaultPlan, counts: &mut FaultCounts) {
        if self.is_clean() || self.abandoned || !dice.chance(plan.writeback_rate) {
            return;
        }
        counts.writebacks += 1;
        self.store_some_sectors(dice);
    }

    fn store_some_sectors(&mut self, dice: &mut Dice) {
        let stored = Arc::make_mut(&mut self.stored);
        for start in (0..BLOCK_BYTES).step_by(SECTOR_BYTES) {
            if dice.chance(0.5) {
                let sector = start..start + SECTOR_BYTES;
                stored[sector.clone()].copy_from_slice(&self.cached[sector]);
            }
        }
    }

    /// What a sync that begins now would write, if anything.
    pub(super) fn snapshot(&self, number: u64) -> Option<Snapshot> {
        let written = !self.is_clean() && !self.abandoned;
        written.then(|| Snapshot { number, cached: Arc::clone(&self.cached), version: self.version })
    }

    /// The snapshot has reached the disk.
    pub(super) fn stored(&mut self, snapshot: Snapshot) {
        // Of two syncs at once, the one that began first may end last.
        if snapshot.version > self.stored_version {
            self.stored = snapshot.cached;
            self.stored_version = snapshot.version;
        }
    }

    /// The snapshot has not reached the disk, and the kernel believes it has.
    pub(super) fn abandon(&mut self, snapshot: &Snapshot, counts: &mut FaultCounts) {
        if snapshot.version == self.version && !self.is_clean() {
            self.abandoned = true;
            counts.blocks_abandoned += 1;
        }
    }

    /// Rots bit `bit` of the byte at `at` on the disk; the cache shows it unless it holds something newer.
    pub(super) fn rot(&mut self, at: usize, bit: u8) {
        Arc::make_mut(&mut self.stored)[at] ^= 1 << (bit % 8);
        if self.is_clean() {
            self.cached = Arc::clone(&self.stored);
        }
    }

    /// Leaves of an unsynced block what `fate` says, and cleans it.
    pub(super) fn lose_power(&mut self, fate: Fate, dice: &mut Dice, plan: &FaultPlan, counts: &mut FaultCounts) {
        let fate = if self.abandoned { Fate::Lost } else { fate };
        match fate {
            Fate::Lost => counts.blocks_lost += 1,
            Fate::Kept => {
                counts.blocks_kept += 1;
                self.stored = Arc::clone(&self.cached);
            }
            Fate::Torn => {
                counts.blocks_torn += 1;
                self.store_some_sectors(dice);
                if dice.chance(plan.garbage_rate) {
                    self.garble_a_sector(dice, counts);
                }
            }
        }
        self.cached = Arc::clone(&self.stored);
        self.stored_version = self.version;
        self.abandoned = false;
        // A hole that was punched, and whose old bytes came back.
        self.allocated |= self.stored[..] != ZEROS[..];
    }

    /// Garbage for the changed bytes of one sector that the disk doesn't have yet.
    fn garble_a_sector(&mut self, dice: &mut Dice, counts: &mut FaultCounts) {
        let start = dice.below((BLOCK_BYTES / SECTOR_BYTES) as u64) as usize * SECTOR_BYTES;
        let sector = start..start + SECTOR_BYTES;
        if self.stored[sector.clone()] == self.cached[sector.clone()] {
            return;
        }
        counts.sectors_garbled += 1;
        let stored = Arc::make_mut(&mut self.stored);
        for (old, new) in stored[sector.clone()].iter_mut().zip(&self.cached[sector]) {
            if old != new {
                *old = dice.byte();
            }
        }
    }

    /// Zeros from `start` on: they lie behind the end of the file.
    pub(super) fn clear_from(&mut self, start: usize) {
        Arc::make_mut(&mut self.stored)[start..].fill(0);
        Arc::make_mut(&mut self.cached)[start..].fill(0);
        if self.is_clean() {
            self.cached = Arc::clone(&self.stored);
        }
    }
}
