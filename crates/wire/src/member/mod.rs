//! How the members of a request are read from JSON: each type with the conversions and the refusals of AWS' own parser.
//!
//! The wordings of a wrong type were measured on AWS services with the same parser ("NUMBER_VALUE can not be converted to
//! a String"); older recordings name Java classes instead. `null` is the same as absence, unknown members are skipped by
//! serde, and a member given twice is refused, which no client sends.

// The macros of `refuse` are used by the modules after it.
#[macro_use]
mod refuse;
mod blob;
mod boolean;
mod integer;
mod list;
mod map;
mod structure;
mod text;
mod timestamp;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

use crate::Required;

pub(crate) use map::{MAP_LENGTH_MAX, TextMap};
pub(crate) use structure::Structure;
pub(crate) use timestamp::optional_timestamp_ms;

/// A type that a member can have.
pub(crate) trait Member<'de>: Sized {
    /// Reads a value that is not null.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Reads a member that may be absent or null.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: Member<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_option(OptionVisitor(PhantomData))
}

/// Reads a member that validation will demand.
pub(crate) fn required<'de, D: Deserializer<'de>, T: Member<'de> + Default>(
    deserializer: D,
) -> Result<Required<T>, D::Error> {
    optional(deserializer).map(Required::from)
}

struct OptionVisitor<T>(PhantomData<T>);

impl<'de, T: Member<'de>> Visitor<'de> for OptionVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        T::read(deserializer).map(Some)
    }
}
