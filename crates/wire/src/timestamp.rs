//! Times in replies.

use serde::{Serialize, Serializer};

/// A time in a reply: milliseconds since the Unix epoch. JSON writes seconds with a fraction, as AWS does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            // Exact: milliseconds of any real date are below 2^53, and the shortest decimal of the quotient has at most
            // three fraction digits.
            serializer.serialize_f64(self.0 as f64 / 1000.0)
        } else {
            serializer.serialize_newtype_struct("Timestamp", &self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_seconds_with_milliseconds_as_the_fraction() {
        for (ms, json) in [(1_700_000_000_123, "1700000000.123"), (1_700_000_000_000, "1700000000.0"), (1, "0.001")] {
            assert_eq!(serde_json::to_string(&Timestamp(ms)).unwrap(), json);
        }
    }
}
