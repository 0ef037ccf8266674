//! Collecting violated constraints.

use std::borrow::Cow;
use std::fmt;

use super::{IntegerShape, Path, TextShape};
use crate::{AwsError, Required};

/// Most violations that are reported for one request; AWS stops there too (recorded by kinesalite's tests).
pub const ERRORS_MAX: usize = 10;

/// Most bytes of an offending value that a message repeats. AWS repeats all of it; a value can be as large as a body.
const VALUE_BYTES_MAX: usize = 1024;

/// The violated constraints of one request, in AWS' words.
#[derive(Debug, Default)]
pub struct ValidationErrors {
    messages: Vec<String>,
}

/// An offending value as it appears in the message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Offender<'v> {
    /// `Value null at …`
    Null,
    /// `Value '…' at …`
    Text(&'v str),
    /// `Value '3' at …`
    Number(i32),
    /// `Value at …`: data is not repeated, as AWS does since 2025.
    Hidden,
}

impl fmt::Display for Offender<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("Value null"),
            Self::Text(text) if text.len() <= VALUE_BYTES_MAX => write!(formatter, "Value '{text}'"),
            Self::Text(text) => write!(formatter, "Value '{}...'", &text[..text.floor_char_boundary(VALUE_BYTES_MAX)]),
            Self::Number(number) => write!(formatter, "Value '{number}'"),
            Self::Hidden => formatter.write_str("Value"),
        }
    }
}

impl ValidationErrors {
    /// Whether no more violations will be recorded.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.messages.len() >= ERRORS_MAX
    }

    /// `Ok` if nothing was violated.
    ///
    /// # Errors
    /// `ValidationException` with all that was reported.
    pub fn into_result(self) -> Result<(), AwsError> {
        if self.messages.is_empty() {
            return Ok(());
        }
        Err(AwsError::validation_errors(&self.messages))
    }

    pub(crate) fn report(&mut self, offender: Offender<'_>, path: Path, constraint: fmt::Arguments<'_>) {
        if !self.is_full() {
            self.messages.push(format!("{offender} at '{path}' failed to satisfy constraint: {constraint}"));
        }
    }

    /// The member must be there.
    pub(crate) fn not_null<T>(&mut self, path: Path, value: Option<&T>) {
        if value.is_none() {
            self.report(Offender::Null, path, format_args!("Member must not be null"));
        }
    }

    /// A text, if present, must have its shape.
    pub(crate) fn text(&mut self, path: Path, shape: &TextShape, value: Option<&str>) {
        let Some(text) = value else { return };
        let offender = Offender::Text(text);
        if let Some(pattern) = shape.pattern.filter(|pattern| !(pattern.matches)(text)) {
            let constraint = format_args!("Member must satisfy regular expression pattern: {}", pattern.text);
            self.report(offender, path, constraint);
        }
        if let Some(min) = shape.length_min.filter(|_| shape.is_too_short(text)) {
            self.length_at_least(offender, path, min);
        }
        if let Some(max) = shape.length_max.filter(|_| shape.is_too_long(text)) {
            self.length_at_most(offender, path, max);
        }
        if !shape.values.is_empty() && !shape.values.contains(&text) {
            let constraint = format_args!("Member must satisfy enum value set: [{}]", Listed(shape.values));
            self.report(offender, path, constraint);
        }
    }

    /// A text must be there and have its shape.
    pub(crate) fn required_text(&mut self, path: Path, shape: &TextShape, value: &Required<Cow<'_, str>>) {
        let text = value.present().map(|text| &**text);
        self.not_null(path, text.as_ref());
        self.text(path, shape, text);
    }

    /// An integer, if present, must be in its range.
    pub(crate) fn integer(&mut self, path: Path, shape: &IntegerShape, value: Option<i32>) {
        let Some(number) = value else { return };
        let offender = Offender::Number(number);
        if number < shape.min {
            let constraint = format_args!("Member must have value greater than or equal to {}", shape.min);
            self.report(offender, path, constraint);
        }
        if let Some(max) = shape.max.filter(|&max| number > max) {
            self.report(offender, path, format_args!("Member must have value less than or equal to {max}"));
        }
    }

    pub(crate) fn length_at_least(&mut self, offender: Offender<'_>, path: Path, min: usize) {
        self.report(offender, path, format_args!("Member must have length greater than or equal to {min}"));
    }

    pub(crate) fn length_at_most(&mut self, offender: Offender<'_>, path: Path, max: usize) {
        self.report(offender, path, format_args!("Member must have length less than or equal to {max}"));
    }
}

struct Listed(&'static [&'static str]);

impl fmt::Display for Listed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::shapes;

    fn message(errors: ValidationErrors) -> String {
        errors.into_result().unwrap_err().message().unwrap().to_owned()
    }

    #[test]
    fn nothing_reported_is_fine() {
        assert_eq!(ValidationErrors::default().into_result(), Ok(()));
    }

    #[test]
    fn an_empty_name_violates_pattern_and_length_in_the_words_of_aws() {
        let mut errors = ValidationErrors::default();
        errors.text(Path::Field("streamName"), &shapes::STREAM_NAME, Some(""));
        assert_eq!(
            message(errors),
            "2 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to satisfy constraint: Member \
             must have length greater than or equal to 1"
        );
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        let key = "é".repeat(256);
        let mut errors = ValidationErrors::default();
        errors.text(Path::Field("partitionKey"), &shapes::PARTITION_KEY, Some(&key));
        assert_eq!(errors.into_result(), Ok(()));
        let mut errors = ValidationErrors::default();
        errors.text(Path::Field("partitionKey"), &shapes::PARTITION_KEY, Some(&(key + "é")));
        assert!(message(errors).ends_with("Member must have length less than or equal to 256"));
    }

    #[test]
    fn a_value_as_large_as_a_body_is_not_repeated_in_full() {
        let mut errors = ValidationErrors::default();
        errors.text(Path::Field("partitionKey"), &shapes::PARTITION_KEY, Some(&"é".repeat(1_000_000)));
        assert!(message(errors).len() < VALUE_BYTES_MAX + 300);
    }

    #[test]
    fn no_more_than_ten_are_reported() {
        let mut errors = ValidationErrors::default();
        for index in 0..20 {
            errors.not_null::<()>(Path::Element("records", index, "data"), None);
        }
        let message = message(errors);
        assert!(message.starts_with("10 validation errors detected: Value null at 'records.1.member.data' failed"));
        assert!(message.contains("'records.10.member.data'") && !message.contains("'records.11.member.data'"));
    }
}
