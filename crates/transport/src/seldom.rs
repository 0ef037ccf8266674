use std::collections::BTreeSet;

use parking_lot::Mutex;

/// Texts that are remembered. Past that all are forgotten, and may be logged once more.
const TEXTS_MAX: usize = 256;

/// Remembers what has been logged, so that a node that tries the same wrong thing each second fills no log.
#[derive(Default)]
pub(crate) struct Seldom {
    seen: Mutex<BTreeSet<String>>,
}

impl Seldom {
    /// Whether `text` is new.
    pub(crate) fn is_new(&self, text: &str) -> bool {
        let mut seen = self.seen.lock();
        if seen.contains(text) {
            return false;
        }
        if seen.len() == TEXTS_MAX {
            seen.clear();
        }
        seen.insert(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once_and_memory_is_bounded() {
        let seldom = Seldom::default();
        assert!(seldom.is_new("a") && !seldom.is_new("a"));
        for number in 0..10 * TEXTS_MAX {
            assert!(seldom.is_new(&number.to_string()));
        }
        assert!(seldom.seen.lock().len() <= TEXTS_MAX);
    }
}
