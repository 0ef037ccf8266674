//! Lets faults happen at their time, and starts nodes' processes again when they have ended.

mod network;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use env::sim::{FaultCounts, Latency};
use oracle::Event;
use turmoil::Sim;
use types::NodeId;

use crate::dice::Dice;
use crate::finish::Request;
use crate::node::{Node, Process};
use crate::plan::{Cut, Fault, ROOMY_BYTES, Scenario};
use crate::rot::Rot;
use crate::states;
use crate::world::{Phase, World};

/// Virtual time after a leap in which the server may trim before the next one.
pub(crate) const LEAP_GAP_MS: u64 = 230;
/// A crash that waits for unsynced data waits no longer than this.
const WAIT_FOR_WRITE_MS: u64 = 400;
/// So many starts in a row may fail on a rotten disk before the node is left alone.
const ROTTEN_STARTS_MAX: u32 = 3;

/// What happens at a moment, to a node by its place in [`Driver::nodes`].
enum Action {
    Fault(usize, Fault),
    /// A crash, once there is unsynced data, or at the latest then.
    CrashAtWrite {
        node: usize,
        crash: Fault,
        until_ms: u64,
    },
    Start(usize),
    Mend(usize, Cut),
    Heal,
}

pub(crate) struct Driver {
    world: Rc<World>,
    nodes: Vec<Rc<Node>>,
    dice: Dice,
    /// By time, and in the order of planning within a moment.
    actions: BTreeMap<(u64, u64), Action>,
    planned: u64,
    leap_from_ms: u64,
    failed_starts: u32,
    /// Of the first node.
    rot: Rot,
}

impl Driver {
    pub(crate) fn new(world: Rc<World>, nodes: Vec<Rc<Node>>) -> Self {
        let dice = Dice::new(world.plan.seed, "driver");
        let rot = Rot::new(nodes[0].disk.clone(), Dice::new(world.plan.seed, "rot"));
        let (actions, planned, leap_from_ms, failed_starts) = Default::default();
        let mut driver = Self { world, nodes, dice, actions, planned, leap_from_ms, failed_starts, rot };
        for scheduled in driver.world.plan.faults.clone() {
            driver.plan(scheduled.at_ms, Action::Fault(scheduled.node as usize - 1, scheduled.fault));
        }
        for (place, node) in driver.nodes.clone().iter().enumerate() {
            let joins_at_ms = driver.world.plan.cluster.joins_at_ms(node.id);
            if joins_at_ms > 0 {
                driver.plan(joins_at_ms, Action::Start(place));
            }
        }
        driver.plan(driver.world.plan.faults_until.as_millis() as u64, Action::Heal);
        driver
    }

    fn plan(&mut self, at_ms: u64, action: Action) {
        self.planned += 1;
        self.actions.insert((at_ms, self.planned), action);
    }

    fn now_ms(&self) -> u64 {
        self.world.elapsed_ms()
    }

    /// Everything that is due now. Called between two steps of the simulation.
    pub(crate) fn act(&mut self, sim: &mut Sim<'_>) {
        for node in 0..self.nodes.len() {
            self.notice_end(sim, node);
        }
        while let Some(entry) = self.actions.first_entry().filter(|entry| entry.key().0 <= self.world.elapsed_ms()) {
            match entry.remove() {
                Action::Fault(node, fault) => self.fault(sim, node, fault),
                Action::CrashAtWrite { node, crash, until_ms } => {
                    if self.nodes[node].disk.has_unsynced() || self.now_ms() >= until_ms {
                        self.fault(sim, node, crash);
                    } else {
                        self.plan(self.now_ms() + 1, Action::CrashAtWrite { node, crash, until_ms });
                    }
                }
                Action::Start(node) => self.start(sim, node),
                Action::Mend(node, cut) => self.mend(sim, node, cut),
                Action::Heal => self.heal(sim),
            }
        }
        if self.world.plan.scenario == Scenario::Rot {
            self.rot.watch(self.now_ms());
        }
        if let Some(request) = self.world.take_request() {
            match request {
                Request::PowerLoss => self.stop_all(sim, 10),
                Request::Leap { ms } => self.leap(ms),
            }
        }
    }

    /// Whether the process has ended by itself.
    fn notice_end(&mut self, sim: &mut Sim<'_>, node: usize) {
        let process = self.nodes[node].process.borrow().clone();
        let aborted = self.nodes[node].end.borrow().reason();
        let ended = matches!(process, Process::Ended(_));
        if !ended && (aborted.is_none() || process == Process::Stopped) {
            return;
        }
        let power = self.dice.percent(30);
        let down_ms = self.dice.between(1, 300);
        let host = self.nodes[node].host.clone();
        match (process, aborted) {
            (Process::Starting | Process::Serving, Some(reason)) => {
                self.world.note(|line| line.push_str(&format!("{host} aborted: {reason}")));
                if reason.contains("panicked") {
                    self.world.violation(reason);
                } else {
                    self.world.trace.reached(states::ABORTED);
                }
                self.stop(sim, node, power, down_ms);
            }
            (Process::Ended(reason), _) => {
                self.failed_starts += 1;
                self.world.trace.reached(states::START_FAILED);
                self.world.note(|line| line.push_str(&format!("{host}'s start failed: {reason}")));
                self.stop(sim, node, power && !self.rot.happened(), down_ms);
                if self.is_rotten_alone() && self.failed_starts >= ROTTEN_STARTS_MAX {
                    self.world.dead.set(true);
                }
            }
            _ => {}
        }
    }

    /// Whether something has rotted that no other node has.
    fn is_rotten_alone(&self) -> bool {
        self.rot.happened() && self.nodes.len() == 1
    }

    /// All nodes lose their power at the same moment.
    fn stop_all(&mut self, sim: &mut Sim<'_>, down_ms: u64) {
        for node in 0..self.nodes.len() {
            self.stop(sim, node, true, down_ms);
        }
    }

    /// Ends the process, and plans its next start.
    fn stop(&mut self, sim: &mut Sim<'_>, place: usize, power: bool, down_ms: u64) {
        let node = Rc::clone(&self.nodes[place]);
        let process = node.process.replace(Process::Stopped);
        if process == Process::Stopped {
            return;
        }
        if process == Process::Starting {
            self.world.trace.reached(states::CRASH_IN_RECOVERY);
        }
        env::sim::crash(sim, &node.host, &node.end.borrow());
        let before = node.disk.counts();
        if power {
            node.disk.power_loss()
        } else {
            node.disk.process_crash()
        }
        self.note_losses(&before, &node.disk.counts());
        self.world.crashes.set(self.world.crashes.get() + 1);
        self.world.record(Event::NodeCrashed { node: NodeId(node.id), at: self.world.now_ms() });
        let what = if power { "power lost" } else { "process ended" };
        self.world
            .note(|line| line.push_str(&format!("{}: {what} while {process:?}, down for {down_ms} ms", node.host)));
        self.plan(self.now_ms().saturating_add(down_ms), Action::Start(place));
    }

    fn note_losses(&self, before: &FaultCounts, now: &FaultCounts) {
        let reached = |name, before: u64, now: u64| {
            if now > before {
                self.world.trace.reached(name);
            }
        };
        reached(states::UNSYNCED_LOST, before.blocks_lost, now.blocks_lost);
        reached(states::BLOCK_TORN, before.blocks_torn, now.blocks_torn);
        reached(states::NAME_LOST, before.names_lost, now.names_lost);
    }

    fn start(&mut self, sim: &mut Sim<'_>, node: usize) {
        let node = &self.nodes[node];
        if *node.process.borrow() == Process::Stopped && !self.world.dead.get() {
            node.process.replace(Process::Starting);
            sim.bounce(node.host.as_str());
        }
    }

    fn fault(&mut self, sim: &mut Sim<'_>, place: usize, fault: Fault) {
        let node = Rc::clone(&self.nodes[place]);
        if !matches!(fault, Fault::Leap { .. }) {
            self.world.note(|line| line.push_str(&format!("fault: {} {fault:?}", node.host)));
        }
        match fault {
            Fault::Crash { power, at_write: true, down_ms, again_after_ms } => {
                let crash = Fault::Crash { power, at_write: false, down_ms, again_after_ms };
                let until_ms = self.now_ms() + WAIT_FOR_WRITE_MS;
                self.plan(self.now_ms(), Action::CrashAtWrite { node: place, crash, until_ms });
            }
            Fault::Crash { power, at_write: false, down_ms, again_after_ms } => {
                self.stop(sim, place, power, down_ms);
                if let Some(after_ms) = again_after_ms {
                    let again = Fault::Crash { power: !power, at_write: false, down_ms, again_after_ms: None };
                    self.plan(self.now_ms() + down_ms + after_ms, Action::Fault(place, again));
                }
            }
            Fault::AllLosePower { down_ms } => self.stop_all(sim, down_ms),
            Fault::Cut { cut, mend_ms } => {
                self.cut(sim, place, cut);
                self.plan(self.now_ms() + mend_ms, Action::Mend(place, cut));
            }
            Fault::Fail { call, nth } => node.disk.fail_nth(call, nth),
            Fault::DiskFull { spare_bytes } => node.disk.set_capacity_bytes(node.disk.used_bytes() + spare_bytes),
            Fault::DiskRoomy => node.disk.set_capacity_bytes(ROOMY_BYTES),
            Fault::DiskSlow { latency } => self.slow(&node, latency),
            Fault::Skew { ms } => node.clock.set_skew_ms(ms),
            Fault::Leap { ms } => self.leap_when_possible(ms),
            Fault::RotJournal { down_ms } => {
                if self.rot.journal() {
                    // The page cache survives, so that the newest block, which makes the rotten one a middle one, stays.
                    self.stop(sim, place, false, down_ms);
                } else if self.world.phase() == Phase::Faults {
                    let at_ms = self.now_ms() + 50;
                    self.plan(at_ms, Action::Fault(place, fault));
                }
            }
            Fault::RotFiles { dir, down_ms } => {
                if self.rot.files(dir) {
                    self.stop(sim, place, false, down_ms);
                }
            }
        }
    }

    /// Leaps wait for a server that serves, and leave it time to trim.
    fn leap_when_possible(&mut self, ms: u64) {
        let now_ms = self.now_ms();
        if self.world.phase() != Phase::Faults {
            return;
        }
        if now_ms < self.leap_from_ms || *self.nodes[0].process.borrow() != Process::Serving {
            let at_ms = self.leap_from_ms.max(now_ms + 50);
            return self.plan(at_ms, Action::Fault(0, Fault::Leap { ms }));
        }
        // A shard of several nodes may be without a leader, who trims, for seconds.
        self.leap_from_ms = now_ms + if self.nodes.len() > 1 { 4 * LEAP_GAP_MS } else { LEAP_GAP_MS };
        self.leap(ms);
    }

    fn leap(&mut self, ms: u64) {
        self.nodes.iter().for_each(|node| node.clock.leap_ms(ms));
        self.world.leapt_ms.set(self.world.leapt_ms.get() + ms);
        self.world.note(|line| line.push_str(&format!("{} minutes pass", ms / 60_000)));
    }

    fn slow(&self, node: &Node, latency: Duration) {
        let calm = self.world.plan.disk.clone();
        node.disk.change_plan(|plan| match latency.is_zero() {
            true => (plan.latency, plan.sync_latency) = (calm.latency, calm.sync_latency),
            false => {
                plan.latency = Latency { min: Duration::ZERO, max: latency };
                plan.sync_latency = plan.latency;
            }
        });
    }

    fn heal(&mut self, sim: &mut Sim<'_>) {
        for node in &self.nodes {
            self.slow(node, Duration::ZERO);
            node.disk.set_capacity_bytes(ROOMY_BYTES);
        }
        self.mend_all(sim);
        self.world.rotten.set(self.is_rotten_alone());
        self.world.enter(Phase::Healed);
    }
}
