//! What the model says about texts and integers.

use super::Pattern;

/// The constraints of a string shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextShape {
    /// Fewest characters.
    pub(crate) length_min: Option<usize>,
    /// Most characters, counted as Unicode scalar values, as the model's language defines the length of a string.
    pub(crate) length_max: Option<usize>,
    /// What the whole text must look like.
    pub(crate) pattern: Option<&'static Pattern>,
    /// The values it may have, if it is an enumeration.
    pub(crate) values: &'static [&'static str],
}

impl TextShape {
    pub(crate) const fn any() -> Self {
        Self { length_min: None, length_max: None, pattern: None, values: &[] }
    }

    pub(crate) const fn length(self, min: usize, max: usize) -> Self {
        Self { length_min: Some(min), length_max: Some(max), ..self }
    }

    pub(crate) const fn pattern(self, pattern: &'static Pattern) -> Self {
        Self { pattern: Some(pattern), ..self }
    }

    pub(crate) const fn one_of(values: &'static [&'static str]) -> Self {
        Self { values, ..Self::any() }
    }

    pub(crate) fn is_too_short(&self, text: &str) -> bool {
        self.length_min.is_some_and(|min| text.chars().take(min).count() < min)
    }

    pub(crate) fn is_too_long(&self, text: &str) -> bool {
        self.length_max.is_some_and(|max| text.len() > max && text.chars().nth(max).is_some())
    }
}

/// The constraints of an integer shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntegerShape {
    pub(crate) min: i32,
    pub(crate) max: Option<i32>,
}
