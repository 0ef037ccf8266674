//! Structures.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::Member;

/// A structure: its members are read by its derived `Deserialize`.
pub(crate) trait Structure<'de>: Deserialize<'de> + Default {
    /// The longest list of this structure that a request may have, by the model.
    const LIST_LENGTH_MAX: usize = 0;
}

impl<'de, T: Structure<'de>> Member<'de> for T {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StructureVisitor(PhantomData))
    }
}

struct StructureVisitor<T>(PhantomData<T>);

impl<'de, T: Structure<'de>> Visitor<'de> for StructureVisitor<T> {
    type Value = T;

    expecting!("a structure");
    refuse!(list);
    refuse!(scalars, "Expected null");

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
