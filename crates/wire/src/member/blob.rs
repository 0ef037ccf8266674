//! Blobs.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

use super::Member;
use super::refuse::convert;
use crate::Blob;

struct BlobVisitor;

impl BlobVisitor {
    fn blob<E: Error>(text: Cow<'_, str>) -> Result<Blob<'_>, E> {
        if !text.len().is_multiple_of(4) {
            return Err(convert(
                "STRING_VALUE",
                &format!("a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.len()),
            ));
        }
        Ok(Blob::Base64(text))
    }
}

impl<'de> Visitor<'de> for BlobVisitor {
    type Value = Blob<'de>;

    expecting!("a blob");
    refuse!(list);
    refuse!(map);
    refuse!(boolean, "a Blob");
    refuse!(number, "a Blob");

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Self::blob(Cow::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Self::blob(Cow::Owned(value.to_owned()))
    }
}

impl<'de> Member<'de> for Blob<'de> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BlobVisitor)
    }
}
