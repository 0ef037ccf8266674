use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ParseError, RecordNumber, ShardId};

mod decimal;

/// Decimal digits of every sequence number that this service gives.
pub const SEQUENCE_NUMBER_DIGITS: usize = 56;

const SECONDS_BITS: u32 = 36;
const SECONDS_MAX: u64 = (1 << SECONDS_BITS) - 1;
/// Version 0 lies below this; the bits between here and version 1 were never given out.
const VERSION_0_END: Value = Value { high: 2, low: 0 };

/// The number itself, `high * 2^128 + low`. Field order makes the derived order the numeric one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Value {
    high: u64,
    low: u128,
}

/// A sequence number, ordered as a number: within a shard in the order of its records, from parent to child upwards.
///
/// Forty-seven hexadecimal digits, printed as fifty-six decimal ones:
///
/// | digits | meaning |
/// |---|---|
/// | 1 | `2` |
/// | 9 | second in which the shard was created |
/// | 1 | low nibble of the shard's index |
/// | 16 | record number, below 2^63 |
/// | 2 | `00` |
/// | 9 | second of the record's arrival |
/// | 8 | the shard's index, below 2^31 |
/// | 1 | version, `2` |
///
/// Source: numbers that Kinesis has given since 2013, as taken apart by kinesalite's `db/index.js`. Versions 0 and 1 are
/// older forms; they parse, but this service never gives them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(Value);

/// The form of a sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SequenceVersion {
    /// The first form, without an arrival time or a record number; `0` is one of them.
    V0,
    /// The second form, whose record number has eight bits beside random ones.
    V1,
    /// Today's form.
    V2,
}

impl SequenceNumber {
    /// The number of a record. Seconds are since 1970; what is beyond 36 bits (the year 4147) is taken as the greatest.
    ///
    /// # Panics
    /// When the record number or the shard's index exceeds its bound: both are counted here and can't.
    #[must_use]
    pub fn new(shard_created_sec: u64, record: RecordNumber, arrival_sec: u64, shard: ShardId) -> SequenceNumber {
        assert!(record <= RecordNumber::CLOSING, "record number {record} is beyond 2^63-1");
        assert!(shard <= ShardId::MAX, "{shard} is beyond 2^31-1");
        let created = u128::from(shard_created_sec.min(SECONDS_MAX));
        let arrival = u128::from(arrival_sec.min(SECONDS_MAX));
        let record = u128::from(record.0);
        let nibble = u128::from(shard.0 & 0xf);
        // Digits 1 to 15 (60 bits) are high, digits 16 to 47 (128 bits) low; the record number spans both.
        let high = (2 << 56) | (created << 20) | (nibble << 16) | (record >> 48);
        let low = (record << 80) | (arrival << 36) | (u128::from(shard.0) << 4) | 2;
        SequenceNumber(Value { high: high as u64, low })
    }

    /// Where a shard begins: below each of its records.
    #[must_use]
    pub fn starting(shard_created_sec: u64, shard: ShardId) -> SequenceNumber {
        SequenceNumber::new(shard_created_sec, RecordNumber(0), shard_created_sec, shard)
    }

    /// Where a closed shard ends: above each of its records.
    #[must_use]
    pub fn closing(shard_created_sec: u64, closed_sec: u64, shard: ShardId) -> SequenceNumber {
        SequenceNumber::new(shard_created_sec, RecordNumber::CLOSING, closed_sec, shard)
    }

    /// The form that this number has.
    #[must_use]
    pub fn version(self) -> SequenceVersion {
        match self.0 {
            value if value < VERSION_0_END => SequenceVersion::V0,
            value if value.low & 0xf == 1 => SequenceVersion::V1,
            _ => SequenceVersion::V2,
        }
    }

    /// The second in which the shard was created.
    #[must_use]
    pub fn shard_created_sec(self) -> u64 {
        match self.version() {
            SequenceVersion::V0 => self.version_0_digits(1, 9),
            SequenceVersion::V1 | SequenceVersion::V2 => (self.0.high >> 20) & SECONDS_MAX,
        }
    }

    /// The record's number in its shard; 0 for the older versions, whose records this service never stored, so that a
    /// reader sent there begins where the shard does.
    #[must_use]
    pub fn record(self) -> RecordNumber {
        match self.version() {
            SequenceVersion::V0 | SequenceVersion::V1 => RecordNumber(0),
            SequenceVersion::V2 => RecordNumber(((self.0.high & 0xffff) << 48) | (self.0.low >> 80) as u64),
        }
    }

    /// The second in which the record arrived; for version 0 the one in which its shard was created.
    #[must_use]
    pub fn arrival_sec(self) -> u64 {
        match self.version() {
            SequenceVersion::V0 => self.shard_created_sec(),
            SequenceVersion::V1 => (self.0.low >> 100) as u64 | ((self.0.high & 0xff) << 28),
            SequenceVersion::V2 => (self.0.low >> 36) as u64 & SECONDS_MAX,
        }
    }

    /// The shard.
    #[must_use]
    pub fn shard(self) -> ShardId {
        match self.version() {
            SequenceVersion::V0 => ShardId(self.version_0_digits(28, 4) as u32),
            SequenceVersion::V1 | SequenceVersion::V2 => ShardId((self.0.low >> 4) as u32),
        }
    }

    /// Whether this is the number that ends a closed shard.
    #[must_use]
    pub fn is_closing(self) -> bool {
        self.record() == RecordNumber::CLOSING
    }

    /// Hexadecimal digits of a version 0 number, which has 32 of them, or 33 from 2^128 up; smaller ones are
    /// completed by 2^124.
    fn version_0_digits(self, from: u32, count: u32) -> u64 {
        let low = if self.0.high == 0 && self.0.low < 1 << 124 { self.0.low + (1 << 124) } else { self.0.low };
        let digits = if self.0.high == 0 { 32 } else { 33 };
        let shift = 4 * (digits - from - count);
        (low >> shift) as u64 & ((1 << (4 * count)) - 1)
    }

    /// Writes the decimal digits into a buffer of the caller and returns them as text; never allocates.
    /// Fifty-six digits, fewer only for older versions.
    pub fn write_digits(self, buffer: &mut [u8; SEQUENCE_NUMBER_DIGITS]) -> &str {
        decimal::write(self.0, buffer)
    }

    /// Writes the decimal digits, without an allocation of its own.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(self, out: &mut impl fmt::Write) -> fmt::Result {
        out.write_str(self.write_digits(&mut [0; SEQUENCE_NUMBER_DIGITS]))
    }

    /// Takes a number that has one of the three forms.
    fn from_value(value: Value) -> Option<SequenceNumber> {
        let number = SequenceNumber(value);
        if value < VERSION_0_END {
            // Kinesis refuses a version 0 whose creation second lies beyond this.
            return (number.shard_created_sec() < 16_025_175_000).then_some(number);
        }
        let begins_with_2 = value.high >> 56 == 2;
        let shard_is_good = number.shard() <= ShardId::MAX;
        let form_is_good = match value.low & 0xf {
            1 => true,
            2 => {
                let nibble_agrees = (value.high >> 16) & 0xf == u64::from(number.shard().0 & 0xf);
                let byte_is_zero = (value.low >> 72) & 0xff == 0;
                nibble_agrees && byte_is_zero && number.record() <= RecordNumber::CLOSING
            }
            _ => false,
        };
        (begins_with_2 && shard_is_good && form_is_good).then_some(number)
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write_digits(&mut [0; SEQUENCE_NUMBER_DIGITS]))
    }
}

impl fmt::Debug for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version();
        write!(f, "{self} ({version:?} {} record {} at {}s)", self.shard(), self.record(), self.arrival_sec())
    }
}

impl FromStr for SequenceNumber {
    type Err = ParseError;

    /// Reads `0|([1-9]\d{0,128})` (the shape `SequenceNumber` of the service model), then checks the form strictly.
    fn from_str(text: &str) -> Result<SequenceNumber, ParseError> {
        decimal::read(text).and_then(SequenceNumber::from_value).ok_or(ParseError::SequenceNumber)
    }
}

/// As the pair of its halves: small, and checked when read.
impl Serialize for SequenceNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SequenceNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<SequenceNumber, D::Error> {
        let value = Value::deserialize(deserializer)?;
        SequenceNumber::from_value(value).ok_or_else(|| serde::de::Error::custom(ParseError::SequenceNumber))
    }
}

#[cfg(test)]
mod tests;
