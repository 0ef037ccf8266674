//! Lists of structures.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::{Member, Structure, optional};

impl<'de, T: Structure<'de>> Member<'de> for Vec<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

/// One element of a list, where null counts as a structure without members: validation then names what it lacks.
struct Element<T>(T);

impl<'de, T: Structure<'de>> Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        optional(deserializer).map(|element| Self(element.unwrap_or_default()))
    }
}

impl<'de, T: Structure<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    expecting!("a list");
    refuse!(map);
    refuse!(scalars, "Expected list or null");

    // An element can be a hundred times as large as its JSON (`{},`), so one more than allowed is kept, which is enough
    // for validation to refuse the list, and the rest is only parsed.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::with_capacity(16);
        while let Some(Element(element)) = seq.next_element()? {
            list.push(element);
            if list.len() > T::LIST_LENGTH_MAX {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                break;
            }
        }
        Ok(list)
    }
}
