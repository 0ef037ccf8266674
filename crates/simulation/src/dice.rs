//! Randomness in the words of decisions. Each part of a run has dice of its own, so that a change to one part leaves the others'
//! draws alone.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A source of decisions that a seed and a label decide.
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64, label: &str) -> Self {
        let mut hash = crate::trace::Fnv::default();
        hash.add(&seed.to_le_bytes());
        hash.add(label.as_bytes());
        Self(StdRng::seed_from_u64(hash.value()))
    }

    /// From 0 to `bound - 1`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.random_range(0..bound) }
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True `percent` times in a hundred.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which are not none.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_label_decide_every_draw() {
        let draws = |seed, label| {
            let mut dice = Dice::new(seed, label);
            [dice.below(u64::MAX), dice.between(3, 9), dice.below(100)]
        };
        assert_eq!(draws(1, "disk"), draws(1, "disk"));
        assert_ne!(draws(1, "disk"), draws(2, "disk"));
        assert_ne!(draws(1, "disk"), draws(1, "reader"));
    }

    #[test]
    fn bounds_are_kept() {
        let mut dice = Dice::new(7, "bounds");
        for _ in 0..1_000 {
            assert!((3..=9).contains(&dice.between(3, 9)));
            assert!(dice.below(5) < 5);
        }
        assert_eq!(dice.below(0), 0);
        assert!(!dice.percent(0) && dice.percent(100));
    }
}
