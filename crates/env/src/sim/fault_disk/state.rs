use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use super::block::BLOCK_BYTES;
use super::content::{Chance, Content};
use super::dice::Dice;
use super::names::{Id, Names};
use super::plan::{Call, FaultCounts, FaultPlan};
use crate::Shortage;

/// Everything about one disk; behind its lock.
pub(super) struct State {
    pub(super) plan: FaultPlan,
    pub(super) counts: FaultCounts,
    pub(super) names: Names,
    pub(super) files: BTreeMap<Id, Content>,
    /// Handles of the running process, by file.
    open: BTreeMap<Id, usize>,
    /// Locks held by the running process.
    pub(super) locks: BTreeSet<String>,
    /// Rises with each crash; a handle of an older one is dead.
    pub(super) generation: u64,
    /// Calls to fail once, and how many of their kind come before.
    pub(super) planted: Vec<(Call, u64)>,
    dice: Dice,
    allocated_blocks: u64,
}

/// When an operation takes effect: after `before`, and then it takes `after` until it returns.
pub(super) struct Timing {
    pub(super) before: Duration,
    pub(super) after: Duration,
}

impl State {
    pub(super) fn new(seed: u64, plan: FaultPlan) -> Self {
        Self {
            plan,
            counts: FaultCounts::default(),
            names: Names::new(),
            files: BTreeMap::new(),
            open: BTreeMap::new(),
            locks: BTreeSet::new(),
            generation: 0,
            planted: Vec::new(),
            dice: Dice::new(seed),
            allocated_blocks: 0,
        }
    }

    /// The file, and what decides about its blocks.
    pub(super) fn content(&mut self, id: Id) -> io::Result<(&mut Content, Chance<'_>)> {
        let content = self.files.get_mut(&id).ok_or(io::ErrorKind::NotFound)?;
        Ok((content, Chance { dice: &mut self.dice, plan: &self.plan, counts: &mut self.counts }))
    }

    pub(super) fn free_blocks(&self) -> u64 {
        (self.plan.capacity_bytes / BLOCK_BYTES as u64).saturating_sub(self.allocated_blocks)
    }

    /// Notes that an operation took blocks, or gave some back, and left `now` of the `before` free ones.
    pub(super) fn note_free_blocks(&mut self, before: u64, now: u64) {
        self.allocated_blocks = self.allocated_blocks + before - now;
    }

    /// Draws how long an operation takes, and on which side of its effect.
    pub(super) fn timing(&mut self, is_sync: bool) -> Timing {
        let latency = if is_sync { self.plan.sync_latency } else { self.plan.latency };
        let duration = self.dice.duration(latency);
        if self.dice.chance(0.5) {
            Timing { before: duration, after: Duration::ZERO }
        } else {
            Timing { before: Duration::ZERO, after: duration }
        }
    }

    /// Whether this call, by rate or as planted, is to fail with an I/O error.
    pub(super) fn fails(&mut self, call: Call) -> bool {
        let rate = match call {
            Call::Read => self.plan.read_error_rate,
            Call::Write => self.plan.write_error_rate,
            Call::Sync => self.plan.sync_error_rate,
            Call::SyncDir => self.plan.sync_dir_error_rate,
        };
        let fails = self.take_planted(call) | self.dice.chance(rate);
        if fails {
            match call {
                Call::Read => self.counts.read_errors += 1,
                Call::Write => self.counts.write_errors += 1,
                Call::Sync => self.counts.sync_errors += 1,
                Call::SyncDir => self.counts.sync_dir_errors += 1,
            }
        }
        fails
    }

    fn take_planted(&mut self, call: Call) -> bool {
        let mut due = false;
        self.planted.retain_mut(|(planted, before)| {
            if *planted != call {
                return true;
            }
            if *before > 0 {
                *before -= 1;
                return true;
            }
            due = true;
            false
        });
        due
    }

    /// From 0 to `bound - 1`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.dice.below(bound)
    }

    /// Rots, by rate, one byte of a range that is about to be read.
    pub(super) fn maybe_rot(&mut self, id: Id, offset: u64, length: u64) -> io::Result<()> {
        if self.dice.chance(self.plan.rot_rate) {
            let at = offset.saturating_add(self.dice.below(length));
            let (content, mut chance) = self.content(id)?;
            content.rot(at, &mut chance);
        }
        Ok(())
    }

    /// Refuses one more handle than there may be.
    pub(super) fn check_handles(&self) -> io::Result<()> {
        let open: usize = self.open.values().sum();
        if open < self.plan.handles_max { Ok(()) } else { Err(Shortage::of_handles()) }
    }

    pub(super) fn opened(&mut self, id: Id) {
        *self.open.entry(id).or_default() += 1;
    }

    pub(super) fn closed(&mut self, id: Id) {
        if let Some(handles) = self.open.get_mut(&id) {
            *handles -= 1;
            if *handles == 0 {
                self.open.remove(&id);
                self.free_unreferenced();
            }
        }
    }

    /// Forgets the files that have neither a name nor a handle.
    pub(super) fn free_unreferenced(&mut self) {
        let named = self.names.referenced();
        let open = &self.open;
        let allocated_blocks = &mut self.allocated_blocks;
        self.files.retain(|id, content| {
            let referenced = named.contains(id) || open.contains_key(id);
            if !referenced {
                *allocated_blocks -= content.allocated();
            }
            referenced
        });
    }

    /// The process ends; the cache of the operating system stays.
    pub(super) fn end_process(&mut self) {
        self.generation += 1;
        self.locks.clear();
        self.open.clear();
        self.planted.clear();
        self.free_unreferenced();
    }

    pub(super) fn lose_power(&mut self) {
        let mut chance = Chance { dice: &mut self.dice, plan: &self.plan, counts: &mut self.counts };
        self.names.lose_power(&mut chance);
        for content in self.files.values_mut() {
            content.lose_power(&mut chance);
        }
        self.allocated_blocks = self.files.values().map(Content::allocated).sum();
        self.end_process();
    }
}
