//! Booleans.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

use super::Member;
use super::refuse::convert;

struct BooleanVisitor;

impl<'de> Visitor<'de> for BooleanVisitor {
    type Value = bool;

    expecting!("a boolean");
    refuse!(list);
    refuse!(map);
    refuse!(number, "a Boolean");

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
        if is(&["true", "yes", "y", "t", "1"]) {
            Ok(true)
        } else if is(&["false", "no", "n", "f", "0"]) {
            Ok(false)
        } else {
            Err(convert("STRING_VALUE", "an Boolean"))
        }
    }
}

impl<'de> Member<'de> for bool {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BooleanVisitor)
    }
}
