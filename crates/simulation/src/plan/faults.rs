//! The fault schedule of a run.

use std::time::Duration;

use env::sim::Call;

use super::{HOUR_MS, Scenario};
use crate::dice::Dice;

/// Something that goes wrong, or a turn of the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The server's process ends, with its machine's power if `power`. It starts again after `down_ms`; `again_after_ms` later it ends
    /// once more, most likely while it recovers. With `at_write` it waits a while for a moment with unsynced data on the disk.
    Crash { power: bool, at_write: bool, down_ms: u64, again_after_ms: Option<u64> },
    /// The n-th call of a kind from now on fails.
    Fail { call: Call, nth: u64 },
    /// The disk has no more than `spare_bytes` left.
    DiskFull { spare_bytes: u64 },
    /// The disk has space again.
    DiskRoomy,
    /// Each operation takes up to so long.
    DiskSlow { latency: Duration },
    /// The wall clock is so much ahead of the true time.
    Skew { ms: i64 },
    /// Time passes at once.
    Leap { ms: u64 },
    /// All nodes lose their power at once.
    AllLosePower { down_ms: u64 },
    /// The node's network is cut until `mend_ms` later.
    Cut { cut: Cut, mend_ms: u64 },
    /// Rot of a block in the middle of the journal: see [`crate::rot`].
    RotJournal { down_ms: u64 },
    /// Rot anywhere in files below a directory, found at the next start.
    RotFiles { dir: &'static str, down_ms: u64 },
}

/// Which of a node's links no longer carry anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cut {
    /// Those to all other nodes.
    Nodes,
    /// Those to all other nodes and to clients.
    Everything,
    /// What it sends to other nodes is lost.
    Outgoing,
    /// What other nodes send to it is lost.
    Incoming,
    /// That to one other node.
    Link { to: u64 },
    /// Nothing is lost on those to other nodes, but nothing arrives meanwhile.
    Held,
}

/// A fault and its virtual time since the run's beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scheduled {
    pub(crate) at_ms: u64,
    /// Whom it befalls.
    pub(crate) node: u64,
    pub(crate) fault: Fault,
}

/// What a schedule is drawn for.
pub(super) struct Schedule {
    pub(super) scenario: Scenario,
    pub(super) nodes: u64,
    /// Whether faults may happen from the very beginning of a cluster.
    pub(super) impatient: bool,
    pub(super) skew_ms_max: u64,
    pub(super) until_ms: u64,
}

/// The first puts come before the first fault of most runs.
const CALM_MS: u64 = 400;
/// Several nodes take longer until they are a cluster.
pub(super) const CLUSTER_CALM_MS: u64 = 2_500;

impl Schedule {
    pub(super) fn draw(&self, dice: &mut Dice) -> Vec<Scheduled> {
        let mut faults = Vec::new();
        match self.scenario {
            Scenario::Faults => {
                self.disk_faults(dice, 4 + 2 * self.nodes, &mut faults);
                self.cluster_faults(dice, &mut faults);
            }
            Scenario::Nights => {
                self.disk_faults(dice, 2 + self.nodes, &mut faults);
                self.cluster_faults(dice, &mut faults);
                self.nights(dice, &mut faults);
            }
            Scenario::Rot => self.rot(dice, &mut faults),
        }
        self.skews(dice, &mut faults);
        faults.sort_by_key(|scheduled| scheduled.at_ms);
        faults
    }

    fn any_time(&self, dice: &mut Dice) -> u64 {
        // Some runs have no patience: nodes are cut off while they join.
        let calm_ms = if self.nodes > 1 && !self.impatient { CLUSTER_CALM_MS } else { CALM_MS };
        dice.between(calm_ms, self.until_ms)
    }

    fn any_node(&self, dice: &mut Dice) -> u64 {
        dice.between(1, self.nodes)
    }

    /// Cut networks, and the loss of everybody's power.
    fn cluster_faults(&self, dice: &mut Dice, faults: &mut Vec<Scheduled>) {
        if self.nodes == 1 {
            return;
        }
        for _ in 0..dice.between(0, 2 + self.nodes) {
            let (at_ms, node) = (self.any_time(dice), self.any_node(dice));
            let other = 1 + (node - 1 + dice.between(1, self.nodes - 1)) % self.nodes;
            let cut = dice.pick(&[
                Cut::Nodes,
                Cut::Nodes,
                Cut::Everything,
                Cut::Outgoing,
                Cut::Incoming,
                Cut::Link { to: other },
                Cut::Held,
            ]);
            // From what passes unnoticed to what makes others elect.
            let mend_ms = dice.between(50, 6_000);
            faults.push(Scheduled { at_ms, node, fault: Fault::Cut { cut, mend_ms } });
        }
        if dice.percent(30) {
            let (at_ms, down_ms) = (self.any_time(dice), dice.between(1, 500));
            faults.push(Scheduled { at_ms, node: 1, fault: Fault::AllLosePower { down_ms } });
        }
    }

    fn disk_faults(&self, dice: &mut Dice, count_max: u64, faults: &mut Vec<Scheduled>) {
        for _ in 0..dice.between(1, count_max) {
            let (at_ms, node) = (self.any_time(dice), self.any_node(dice));
            let mut add = |at_ms, fault| faults.push(Scheduled { at_ms, node, fault });
            match dice.below(10) {
                0..6 => add(at_ms, crash(dice)),
                6..8 => {
                    let call = dice.pick(&[Call::Write, Call::Sync, Call::SyncDir, Call::Read]);
                    add(at_ms, Fault::Fail { call, nth: dice.between(1, 20) });
                }
                8 => {
                    add(at_ms, Fault::DiskFull { spare_bytes: dice.below(600) << 10 });
                    add(at_ms + dice.between(300, 2_500), Fault::DiskRoomy);
                }
                _ => {
                    add(at_ms, Fault::DiskSlow { latency: Duration::from_millis(dice.between(5, 120)) });
                    add(at_ms + dice.between(300, 2_000), Fault::DiskSlow { latency: Duration::ZERO });
                }
            }
        }
    }

    /// Enough leaps, of up to half an hour each, to pass a day or two, all through the run.
    fn nights(&self, dice: &mut Dice, faults: &mut Vec<Scheduled>) {
        let hours = dice.pick(&[6, 24, 27, 40, 50]);
        for _ in 0..hours * 60 / 25 {
            let ms = dice.between(HOUR_MS / 3, HOUR_MS / 2);
            faults.push(Scheduled { at_ms: self.any_time(dice), node: 1, fault: Fault::Leap { ms } });
        }
    }

    /// Always of the first node, which founds the cluster if there are others. Nodes may crash meanwhile, the first one with its power on: a rotten block
    /// that the loss of the blocks behind it makes the last one looks like an interrupted write.
    fn rot(&self, dice: &mut Dice, faults: &mut Vec<Scheduled>) {
        if self.nodes == 1 {
            return self.rot_once(dice, faults);
        }
        for _ in 0..dice.between(1, 3) {
            self.rot_once(dice, faults);
        }
        for _ in 0..dice.between(0, 6) {
            let (at_ms, node) = (self.any_time(dice), self.any_node(dice));
            let killed = Fault::Crash {
                power: false,
                at_write: dice.percent(70),
                down_ms: dice.between(1, 500),
                again_after_ms: None,
            };
            let fault = if node == 1 { killed } else { crash(dice) };
            faults.push(Scheduled { at_ms, node, fault });
        }
    }

    fn rot_once(&self, dice: &mut Dice, faults: &mut Vec<Scheduled>) {
        let at_ms = dice.between(self.until_ms / 2, self.until_ms);
        let down_ms = dice.between(1, 300);
        let fault = match dice.below(5) {
            0 => Fault::RotFiles { dir: "segments/", down_ms },
            1 => Fault::RotFiles { dir: "checkpoints/", down_ms },
            _ => Fault::RotJournal { down_ms },
        };
        faults.push(Scheduled { at_ms, node: 1, fault });
    }

    fn skews(&self, dice: &mut Dice, faults: &mut Vec<Scheduled>) {
        if self.skew_ms_max == 0 {
            return;
        }
        for _ in 0..dice.between(1, 4 * self.nodes) {
            let ms = dice.between(0, 2 * self.skew_ms_max) as i64 - self.skew_ms_max as i64;
            let (at_ms, node) = (self.any_time(dice), self.any_node(dice));
            faults.push(Scheduled { at_ms, node, fault: Fault::Skew { ms } });
        }
    }
}

fn crash(dice: &mut Dice) -> Fault {
    Fault::Crash {
        power: dice.percent(60),
        at_write: dice.percent(70),
        down_ms: dice.between(1, 500),
        again_after_ms: dice.percent(30).then(|| dice.below(60)),
    }
}
