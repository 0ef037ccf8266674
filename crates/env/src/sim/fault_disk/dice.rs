use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::plan::{FaultPlan, Latency};

/// The disk's own randomness, in the words of its decisions.
pub(super) struct Dice(StdRng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// True with probability `rate`; draws nothing where there is no choice.
    pub(super) fn chance(&mut self, rate: f64) -> bool {
        rate > 0.0 && (rate >= 1.0 || self.0.random_bool(rate))
    }

    /// From 0 to `bound - 1`; 0 if `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.random_range(0..bound) }
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.0.random()
    }

    pub(super) fn duration(&mut self, latency: Latency) -> Duration {
        let span = latency.max.saturating_sub(latency.min);
        latency.min + Duration::from_micros(self.below(span.as_micros() as u64 + 1))
    }
}

/// What becomes of one unsynced block or name when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Lost,
    Kept,
    Torn,
}

/// How the fates of all that is unsynced in one file or directory tree hang together.
#[derive(Clone, Copy)]
pub(super) enum Fates {
    AllLost,
    AllKept,
    /// This many are kept, the next one is torn, the rest is lost: what a long write leaves that was cut in the middle. Drawn one by one,
    /// this would almost never come up.
    KeptUpTo(u64),
    Each,
}

impl Fates {
    pub(super) fn draw(dice: &mut Dice, plan: &FaultPlan, unsynced: u64) -> Self {
        if !dice.chance(plan.shared_fate_rate) {
            return Fates::Each;
        }
        match dice.below(3) {
            0 => Fates::AllLost,
            1 => Fates::AllKept,
            _ => Fates::KeptUpTo(dice.below(unsynced)),
        }
    }

    /// The fate of the unsynced thing number `index`.
    pub(super) fn of(self, index: u64, dice: &mut Dice, plan: &FaultPlan) -> Fate {
        match self {
            Fates::AllLost => Fate::Lost,
            Fates::AllKept => Fate::Kept,
            Fates::KeptUpTo(count) if index < count => Fate::Kept,
            Fates::KeptUpTo(count) if index == count && plan.tear_rate > 0.0 => Fate::Torn,
            Fates::KeptUpTo(_) => Fate::Lost,
            Fates::Each if dice.chance(plan.keep_rate) => Fate::Kept,
            Fates::Each if dice.chance(plan.tear_rate / (1.0 - plan.keep_rate)) => Fate::Torn,
            Fates::Each => Fate::Lost,
        }
    }
}
