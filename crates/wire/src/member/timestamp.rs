//! Times.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

use super::{Member, optional};

struct TimestampVisitor;

const MILLISECONDS: &str = "milliseconds since epoch";

impl<'de> Visitor<'de> for TimestampVisitor {
    type Value = i64;

    expecting!("a timestamp");
    refuse!(list);
    refuse!(map);
    refuse!(boolean, MILLISECONDS);
    refuse!(string, MILLISECONDS);

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(value.saturating_mul(1000))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).unwrap_or(i64::MAX).saturating_mul(1000))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok((value * 1000.0).round() as i64)
    }
}

/// Reads a time: seconds with a fraction in JSON, milliseconds since the Unix epoch in the request.
pub(crate) fn optional_timestamp_ms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    optional::<D, TimestampMs>(deserializer).map(|value| value.map(|TimestampMs(ms)| ms))
}

struct TimestampMs(i64);

impl<'de> Member<'de> for TimestampMs {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimestampVisitor).map(Self)
    }
}
