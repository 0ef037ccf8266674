//! What a rule has to say about a file.

use std::fmt;

/// Whether a finding fails the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Warning,
    Error,
}

/// One broken habit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) rule: &'static str,
    /// The file, relative to the root, with `:LINE` where one is to blame.
    pub(crate) place: String,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn error(rule: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Error, rule, place: place.into(), message: message.into() }
    }

    pub(crate) fn warning(rule: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, rule, place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Warning => "warning",
            Level::Error => "error",
        };
        write!(f, "{level}[{}]: {}: {}", self.rule, self.place, self.message)
    }
}
