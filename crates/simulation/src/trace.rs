//! What happened in a run, line by line with the virtual time of each: its hash is what two runs of a seed must agree on.

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::states::States;

/// The hash of FNV-1a: good enough to compare two runs, and the same on every machine.
#[derive(Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

/// Printed lines are cut after so many characters; the hash covers all of them.
const LINE_CHARS_MAX: usize = 240;

/// The recorder. Clones are the same one; it also gathers the rare states that were reached.
#[derive(Clone)]
pub(crate) struct Trace(Arc<Mutex<Inner>>);

struct Inner {
    hash: Fnv,
    lines: u64,
    /// Whether to print each line as it comes.
    print: bool,
    states: States,
}

impl Trace {
    /// With `print`, each line also goes to standard output as it comes.
    pub(crate) fn new(print: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner { hash: Fnv::default(), lines: 0, print, states: States::default() })))
    }

    /// Notes what happened at `now`, in milliseconds since the run's beginning.
    pub(crate) fn note(&self, now: u64, what: impl FnOnce(&mut String)) {
        let mut line = format!("{:>9}.{:03} ", now / 1_000, now % 1_000);
        what(&mut line);
        let mut inner = self.0.lock();
        inner.hash.add(line.as_bytes());
        inner.hash.add(b"\n");
        inner.lines += 1;
        if inner.print {
            let end = line.char_indices().nth(LINE_CHARS_MAX).map_or(line.len(), |(at, _)| at);
            // Whoever reads may have seen enough, as `head` does.
            let _ = writeln!(std::io::stdout(), "{}", &line[..end]);
        }
    }

    /// Notes that a state was reached.
    pub(crate) fn reached(&self, state: &'static str) {
        self.0.lock().states.add(state);
    }

    pub(crate) fn states(&self) -> States {
        self.0.lock().states.clone()
    }

    /// The hash of all lines, and how many there were.
    pub(crate) fn summary(&self) -> (u64, u64) {
        let inner = self.0.lock();
        (inner.hash.value(), inner.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_tells_order_time_and_words() {
        let hash = |lines: &[(u64, &str)]| {
            let trace = Trace::new(false);
            lines.iter().for_each(|(now, what)| trace.note(*now, |line| line.push_str(what)));
            trace.summary()
        };
        assert_eq!(hash(&[(1, "a"), (2, "b")]), hash(&[(1, "a"), (2, "b")]));
        for other in [&[(2, "b"), (1, "a")][..], &[(1, "a"), (3, "b")], &[(1, "a"), (2, "c")], &[(1, "a")]] {
            assert_ne!(hash(&[(1, "a"), (2, "b")]), hash(other));
        }
    }
}
