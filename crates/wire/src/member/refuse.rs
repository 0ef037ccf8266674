//! Refusing values of a wrong type, in the words of AWS' parser.

use serde::de::Error;

pub(super) const UNEXPECTED_LIST: &str = "Start of list found where not expected";
pub(super) const UNEXPECTED_MAP: &str = "Start of structure or map found where not expected.";

pub(super) fn convert<E: Error>(found: &str, wanted: &str) -> E {
    E::custom(format_args!("{found} can not be converted to {wanted}"))
}

pub(super) const fn boolean_value(value: bool) -> &'static str {
    if value { "TRUE_VALUE" } else { "FALSE_VALUE" }
}

/// Refuses the given kinds of tokens: lists and maps by their start, scalars by "X can not be converted to `wanted`" or
/// by a sentence of their own.
macro_rules! refuse {
    (list) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom($crate::member::refuse::UNEXPECTED_LIST))
        }
    };
    (map) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom($crate::member::refuse::UNEXPECTED_MAP))
        }
    };
    (boolean, $wanted:expr) => {
        fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
            Err($crate::member::refuse::convert($crate::member::refuse::boolean_value(value), $wanted))
        }
    };
    (string, $wanted:expr) => {
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Err($crate::member::refuse::convert("STRING_VALUE", $wanted))
        }
    };
    (number, $wanted:expr) => {
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Err($crate::member::refuse::convert("NUMBER_VALUE", $wanted))
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Err($crate::member::refuse::convert("NUMBER_VALUE", $wanted))
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Err($crate::member::refuse::convert("NUMBER_VALUE", $wanted))
        }
    };
    (scalars, $sentence:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Err(E::custom($sentence))
        }
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Err(E::custom($sentence))
        }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Err(E::custom($sentence))
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Err(E::custom($sentence))
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Err(E::custom($sentence))
        }
    };
}

macro_rules! expecting {
    ($what:expr) => {
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str($what)
        }
    };
}
