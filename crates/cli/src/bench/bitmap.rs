/// A set of numbers that grow from 0, one bit each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    count: u64,
}

impl Bitmap {
    /// Adds a number; false if it was there.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let (word, bit) = place(number);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u64::from(is_new);
        is_new
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// How many are there.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// How many of these are not in `other`.
    pub(crate) fn count_missing_in(&self, other: &Bitmap) -> u64 {
        let missing = |(index, bits): (usize, &u64)| bits & !other.words.get(index).copied().unwrap_or(0);
        self.words.iter().enumerate().map(missing).map(|bits| u64::from(bits.count_ones())).sum()
    }
}

fn place(number: u64) -> (usize, u64) {
    ((number / 64) as usize, 1 << (number % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn bitmap(numbers: &[u64]) -> (Bitmap, BTreeSet<u64>) {
        let (mut bitmap, mut model) = (Bitmap::default(), BTreeSet::new());
        for number in numbers {
            assert_eq!(bitmap.insert(*number), model.insert(*number));
        }
        (bitmap, model)
    }

    proptest! {
        #[test]
        fn it_is_a_set(left in prop::collection::vec(0u64..300, 0..80), right in prop::collection::vec(0u64..300, 0..80)) {
            let ((left, left_model), (right, right_model)) = (bitmap(&left), bitmap(&right));
            prop_assert_eq!(left.count(), left_model.len() as u64);
            prop_assert!((0..400).all(|number| left.contains(number) == left_model.contains(&number)));
            prop_assert_eq!(left.count_missing_in(&right), left_model.difference(&right_model).count() as u64);
        }
    }
}
