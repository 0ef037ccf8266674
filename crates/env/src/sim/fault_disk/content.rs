use std::collections::BTreeMap;
use std::io;

use bytes::{Bytes, BytesMut};

use super::block::{BLOCK_BYTES, Block, Snapshot};
use super::dice::{Dice, Fates};
use super::plan::{FaultCounts, FaultPlan};

/// What decides about a file's blocks; borrowed from the disk for one call.
pub(super) struct Chance<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) plan: &'a FaultPlan,
    pub(super) counts: &'a mut FaultCounts,
}

/// The bytes of one file, in the cache and on the disk.
#[derive(Default)]
pub(super) struct Content {
    /// By number; a missing one is a hole.
    blocks: BTreeMap<u64, Block>,
    len: u64,
    /// The length that power loss leaves at least. Never more than `len`.
    stored_len: u64,
    /// A failed sync has forgotten the length.
    len_abandoned: bool,
}

/// All that a sync of a file writes: the state when it began.
pub(super) struct SyncSet {
    blocks: Vec<Snapshot>,
    len: u64,
}

/// The parts of `offset..offset + length` in each block: its number, where the part starts in it, and the part's length.
fn parts(offset: u64, length: u64) -> impl Iterator<Item = (u64, usize, usize)> {
    let end = offset + length;
    let mut position = offset;
    std::iter::from_fn(move || {
        let start = (position % BLOCK_BYTES as u64) as usize;
        let part = (end - position).min((BLOCK_BYTES - start) as u64);
        let number = position / BLOCK_BYTES as u64;
        position += part;
        (part > 0).then_some((number, start, part as usize))
    })
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn has_unsynced(&self) -> bool {
        self.blocks.values().any(|block| !block.is_clean())
    }

    /// Blocks that take up space.
    pub(super) fn allocated(&self) -> u64 {
        self.blocks.values().filter(|block| block.allocated).count() as u64
    }

    pub(super) fn read(&self, offset: u64, length: usize) -> Bytes {
        let length = self.len.saturating_sub(offset).min(length as u64);
        let mut bytes = BytesMut::zeroed(length as usize);
        let mut done = 0;
        for (number, start, part) in parts(offset, length) {
            if let Some(block) = self.blocks.get(&number) {
                bytes[done..done + part].copy_from_slice(&block.bytes()[start..start + part]);
            }
            done += part;
        }
        bytes.freeze()
    }

    /// Writes into the cache, taking new blocks out of `free_blocks`; what comes before the first that isn't there is written.
    pub(super) fn write(
        &mut self,
        mut offset: u64,
        slices: &[Bytes],
        free_blocks: &mut u64,
        chance: &mut Chance<'_>,
    ) -> io::Result<()> {
        for slice in slices {
            let mut rest = &slice[..];
            for (number, start, part) in parts(offset, slice.len() as u64) {
                let (now, later) = rest.split_at(part);
                self.write_part(number, start, now, free_blocks, chance)?;
                rest = later;
                offset += part as u64;
                self.grow_to(offset);
            }
        }
        Ok(())
    }

    fn write_part(
        &mut self,
        number: u64,
        start: usize,
        bytes: &[u8],
        free_blocks: &mut u64,
        chance: &mut Chance<'_>,
    ) -> io::Result<()> {
        let has_space = self.blocks.get(&number).is_some_and(|block| block.allocated);
        if !has_space {
            *free_blocks = free_blocks.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        }
        let block = self.blocks.entry(number).or_insert_with(Block::hole);
        block.maybe_write_back(chance.dice, chance.plan, chance.counts);
        block.write(start, bytes);
        block.allocated = true;
        Ok(())
    }

    fn grow_to(&mut self, len: u64) {
        if len > self.len {
            self.len = len;
            self.len_abandoned = false;
        }
    }

    /// Zeros the range in the cache and gives the space of whole blocks back to `free_blocks`.
    pub(super) fn punch(&mut self, offset: u64, length: u64, free_blocks: &mut u64) {
        let end = offset.saturating_add(length);
        let last = end.div_ceil(BLOCK_BYTES as u64);
        // Only blocks that are there, since the range may be far longer than the file.
        for (number, block) in self.blocks.range_mut(offset / BLOCK_BYTES as u64..last) {
            let base = number * BLOCK_BYTES as u64;
            let from = offset.saturating_sub(base) as usize;
            let to = (end - base).min(BLOCK_BYTES as u64) as usize;
            block.write(from, &[0; BLOCK_BYTES][from..to]);
            if to - from == BLOCK_BYTES && block.allocated {
                block.allocated = false;
                *free_blocks += 1;
            }
        }
    }

    /// What a sync that begins now makes durable when it succeeds: later writes are not part of it.
    pub(super) fn begin_sync(&self) -> SyncSet {
        let blocks = self.blocks.iter().filter_map(|(number, block)| block.snapshot(*number)).collect();
        SyncSet { blocks, len: self.len }
    }

    pub(super) fn finish_sync(&mut self, set: SyncSet) {
        for snapshot in set.blocks {
            self.store(snapshot);
        }
        if !self.len_abandoned {
            self.stored_len = self.stored_len.max(set.len);
        }
    }

    fn store(&mut self, snapshot: Snapshot) {
        // A block that became a hole stays in the map: another sync may still hold an older snapshot of it.
        if let Some(block) = self.blocks.get_mut(&snapshot.number) {
            block.stored(snapshot);
        }
    }

    /// Some of it reaches the disk, and the rest is forgotten.
    pub(super) fn fail_sync(&mut self, set: SyncSet, chance: &mut Chance<'_>) {
        for snapshot in set.blocks {
            if chance.dice.chance(0.5) {
                self.store(snapshot);
            } else if let Some(block) = self.blocks.get_mut(&snapshot.number) {
                block.abandon(&snapshot, chance.counts);
            }
        }
        if set.len > self.stored_len {
            if chance.dice.chance(0.5) {
                self.stored_len = set.len;
            } else {
                self.len_abandoned = set.len == self.len;
            }
        }
    }

    pub(super) fn lose_power(&mut self, chance: &mut Chance<'_>) {
        let unsynced = self.blocks.values().filter(|block| !block.is_clean()).count() as u64;
        let fates = Fates::draw(chance.dice, chance.plan, unsynced);
        for (index, block) in self.blocks.values_mut().filter(|block| !block.is_clean()).enumerate() {
            let fate = fates.of(index as u64, chance.dice, chance.plan);
            block.lose_power(fate, chance.dice, chance.plan, chance.counts);
        }
        self.cut_to(self.surviving_len(fates, chance), chance.counts);
        self.blocks.retain(|_, block| !block.is_hole());
    }

    fn surviving_len(&self, fates: Fates, chance: &mut Chance<'_>) -> u64 {
        let unsynced = self.len - self.stored_len;
        if self.len_abandoned || unsynced == 0 {
            return self.stored_len;
        }
        match fates {
            Fates::AllLost => self.stored_len,
            Fates::AllKept => self.len,
            Fates::KeptUpTo(_) => self.stored_len + chance.dice.below(unsynced + 1),
            Fates::Each if chance.dice.chance(chance.plan.keep_rate) => self.len,
            Fates::Each if chance.dice.chance(chance.plan.tear_rate) => {
                self.stored_len + chance.dice.below(unsynced + 1)
            }
            Fates::Each => self.stored_len,
        }
    }

    fn cut_to(&mut self, len: u64, counts: &mut FaultCounts) {
        if len < self.len {
            counts.lengths_cut += 1;
            let start = (len % BLOCK_BYTES as u64) as usize;
            self.blocks.split_off(&len.div_ceil(BLOCK_BYTES as u64));
            if let Some(block) = self.blocks.get_mut(&(len / BLOCK_BYTES as u64)) {
                block.clear_from(start);
            }
        }
        self.len = len;
        self.stored_len = len;
        self.len_abandoned = false;
    }

    /// Rots a bit of the byte at `offset`, if there is such a byte on the disk.
    pub(super) fn rot(&mut self, offset: u64, chance: &mut Chance<'_>) -> bool {
        let Some(block) = self.blocks.get_mut(&(offset / BLOCK_BYTES as u64)) else { return false };
        if offset >= self.stored_len {
            return false;
        }
        block.rot((offset % BLOCK_BYTES as u64) as usize, chance.dice.byte());
        chance.counts.bytes_rotted += 1;
        true
    }
}
