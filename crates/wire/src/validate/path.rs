//! Where in a request a value is.

use std::fmt;

/// The place of a value, written as AWS does: members begin with a small letter, elements count from 1.
#[derive(Debug, Clone, Copy)]
pub enum Path {
    /// A member of the request: `streamName`.
    Field(&'static str),
    /// A member of a structure in the request: `shardFilter.type`.
    Nested(&'static str, &'static str),
    /// A member of an element of a list: `records.3.member.partitionKey`; the index counts from 0.
    Element(&'static str, usize, &'static str),
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => formatter.write_str(field),
            Self::Nested(parent, field) => write!(formatter, "{parent}.{field}"),
            Self::Element(list, index, field) => write!(formatter, "{list}.{}.member.{field}", index + 1),
        }
    }
}
