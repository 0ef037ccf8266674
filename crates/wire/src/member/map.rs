//! Maps of strings.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{Member, optional};

/// Keys and values of tags.
pub(crate) type TextMap<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// The most entries a map of texts may have in a request (`TagMap` in the model); one more is kept, so that validation
/// refuses the map, and the rest is only parsed.
pub(crate) const MAP_LENGTH_MAX: usize = 200;

impl<'de> Member<'de> for TextMap<'de> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MapVisitor)
    }
}

struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        optional(deserializer).map(|text| Self(text.unwrap_or_default()))
    }
}

struct MapVisitor;

impl<'de> Visitor<'de> for MapVisitor {
    type Value = TextMap<'de>;

    expecting!("a map");
    refuse!(list);
    refuse!(scalars, "Expected map or null");

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = TextMap::new();
        while let Some((Text(key), Text(value))) = entries.next_entry()? {
            map.insert(key, value);
            if map.len() > MAP_LENGTH_MAX {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                break;
            }
        }
        Ok(map)
    }
}
