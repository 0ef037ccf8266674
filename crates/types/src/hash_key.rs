use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use crate::ParseError;

/// A point of the key space [0, 2^128), over which the open shards of a stream are laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HashKey(pub u128);

impl HashKey {
    /// The smallest hash key.
    pub const MIN: HashKey = HashKey(0);

    /// The greatest hash key, 2^128-1.
    pub const MAX: HashKey = HashKey(u128::MAX);

    /// Where a partition key falls: the MD5 of its UTF-8 bytes, read as a big-endian number
    /// (the service's documentation of `PutRecord`).
    #[must_use]
    pub fn of_partition_key(key: &str) -> HashKey {
        HashKey(u128::from_be_bytes(Md5::digest(key.as_bytes()).into()))
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for HashKey {
    type Err = ParseError;

    /// Reads `0|([1-9]\d{0,38})`, at most 2^128-1 (the shape `HashKey` of the service model).
    fn from_str(text: &str) -> Result<HashKey, ParseError> {
        let canonical = text == "0" || text.as_bytes().first().is_some_and(|byte| matches!(byte, b'1'..=b'9'));
        if !canonical {
            return Err(ParseError::HashKey);
        }
        text.parse().map(HashKey).map_err(|_| ParseError::HashKey)
    }
}

/// A shard's part of the key space, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HashKeyRange {
    /// The first hash key of the range.
    pub start: HashKey,
    /// The last hash key of the range, not below `start`.
    pub end: HashKey,
}

impl HashKeyRange {
    /// The whole key space.
    pub const FULL: HashKeyRange = HashKeyRange { start: HashKey::MIN, end: HashKey::MAX };

    /// Whether a hash key falls into this range.
    #[must_use]
    pub fn contains(&self, key: HashKey) -> bool {
        self.start <= key && key <= self.end
    }

    /// The ranges of a new stream's `n` shards: shard i ends at (i+1)*floor(2^128/n)-1, the last one at 2^128-1.
    /// None for `n` = 0.
    #[must_use]
    pub fn even(n: u32) -> Vec<HashKeyRange> {
        if n == 0 {
            return Vec::new();
        }
        // floor(2^128/n)-1, where 2^128 itself has no room in a u128.
        let divisor = u128::from(n);
        let width_minus_one = u128::MAX / divisor - u128::from(u128::MAX % divisor != divisor - 1);
        (0..n)
            .map(|i| {
                let start = u128::from(i) * width_minus_one + u128::from(i);
                let end = if i == n - 1 { u128::MAX } else { start + width_minus_one };
                HashKeyRange { start: HashKey(start), end: HashKey(end) }
            })
            .collect()
    }

    /// Whether these ranges, in the order of their starts, cover the key space without a hole or an overlap.
    pub fn tile(ranges: impl IntoIterator<Item = HashKeyRange>) -> bool {
        let mut next = Some(HashKey::MIN);
        for range in ranges {
            if next != Some(range.start) || range.end < range.start {
                return false;
            }
            next = range.end.0.checked_add(1).map(HashKey);
        }
        next.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn partition_key_falls_where_its_md5_says() {
        assert_eq!(HashKey::of_partition_key("").0, 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e);
        assert_eq!(HashKey::of_partition_key("hello world").0, 0x5eb6_3bbb_e01e_eed0_93cb_22bb_8f5a_cdc3);
    }

    #[test]
    fn even_ranges_are_those_that_kinesis_gives() {
        let ends: Vec<String> = HashKeyRange::even(3).iter().map(|range| range.end.to_string()).collect();
        let third = "113427455640312821154458202477256070484";
        let two_thirds = "226854911280625642308916404954512140969";
        assert_eq!(ends, [third, two_thirds, "340282366920938463463374607431768211455"]);
        assert_eq!(HashKeyRange::even(2)[0].end, HashKey((1 << 127) - 1));
        assert_eq!(HashKeyRange::even(1), [HashKeyRange::FULL]);
        assert!(HashKeyRange::even(0).is_empty());
    }

    #[test]
    fn signs_spaces_and_leading_zeros_are_refused() {
        for bad in ["", "00", "01", "-1", "+1", " 1", "1 ", "0x1", "340282366920938463463374607431768211456"] {
            assert_eq!(bad.parse::<HashKey>(), Err(ParseError::HashKey), "{bad}");
        }
        assert_eq!("0".parse(), Ok(HashKey::MIN));
        assert_eq!(HashKey::MAX.to_string().parse(), Ok(HashKey::MAX));
    }

    proptest! {
        #[test]
        fn even_ranges_tile_the_key_space(n in 1u32..5_000) {
            let ranges = HashKeyRange::even(n);
            prop_assert_eq!(ranges.len(), n as usize);
            prop_assert!(HashKeyRange::tile(ranges.iter().copied()));
            let width = ranges[0].end.0;
            prop_assert!(ranges[..ranges.len() - 1].iter().all(|range| range.end.0 - range.start.0 == width));
        }

        #[test]
        fn each_key_falls_into_exactly_one_range(n in 1u32..64, key: u128) {
            let owners = HashKeyRange::even(n).into_iter().filter(|range| range.contains(HashKey(key))).count();
            prop_assert_eq!(owners, 1);
        }

        #[test]
        fn a_missing_range_is_a_hole(n in 2u32..32, at: prop::sample::Index) {
            let mut ranges = HashKeyRange::even(n);
            ranges.remove(at.index(n as usize));
            prop_assert!(!HashKeyRange::tile(ranges));
        }

        #[test]
        fn text_round_trips(key: u128) {
            prop_assert_eq!(HashKey(key).to_string().parse(), Ok(HashKey(key)));
        }
    }
}
