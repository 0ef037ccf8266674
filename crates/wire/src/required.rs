//! A member that the model requires.

use std::ops::Deref;

/// A required member of a request. Decoding accepts its absence, so that validation can report it among all the other
/// mistakes of the request, as AWS does; after [`crate::decode`] has succeeded it is present.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Required<T> {
    value: T,
    present: bool,
}

impl<T> Required<T> {
    /// A member with this value.
    pub const fn new(value: T) -> Self {
        Self { value, present: true }
    }

    /// The value if the request had one.
    pub fn present(&self) -> Option<&T> {
        self.present.then_some(&self.value)
    }

    /// The value; the default one if the request had none, which validation refuses.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Default> From<Option<T>> for Required<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::default, Self::new)
    }
}

impl<T> Deref for Required<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
