//! Integers.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

use super::Member;

struct IntegerVisitor;

impl<'de> Visitor<'de> for IntegerVisitor {
    type Value = i32;

    expecting!("an integer");
    refuse!(list);
    refuse!(map);
    refuse!(boolean, "an Integer");
    refuse!(string, "an Integer");

    // Out of range saturates, so that the range of the member refuses it; a fraction is cut off.
    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(value.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i32::try_from(value).unwrap_or(i32::MAX))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(value as i32)
    }
}

impl<'de> Member<'de> for i32 {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntegerVisitor)
    }
}
