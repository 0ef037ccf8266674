//! One key of the configuration.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use super::Config;

/// What a key's value may be.
pub(crate) enum Kind {
    /// A whole number within bounds.
    Integer(RangeInclusive<u64>, fn(&mut Config, u64)),
    /// An IP address and a port, where 0 takes a free one.
    Address(fn(&mut Config, SocketAddr)),
    /// Text of a pattern; the words say which one.
    Text(&'static str, fn(&str) -> bool, fn(&mut Config, &str)),
    /// One of a few words.
    Word(&'static [&'static str], fn(&mut Config, &str)),
}

/// One key: all there is to know about it.
pub(crate) struct Key {
    /// As in the file, with a dot between a table and its key.
    pub(crate) name: &'static str,
    /// The unit, where the value has one.
    pub(crate) unit: &'static str,
    /// The default, as it would be written in an environment variable.
    pub(crate) default: &'static str,
    /// Type and bounds.
    pub(crate) kind: Kind,
    /// What it does.
    pub(crate) meaning: &'static str,
}

impl Key {
    /// The environment variable that overrides the file: `THALWEG_` and the name in capitals, with `_` for the dot.
    pub(crate) fn variable(&self) -> String {
        format!("THALWEG_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// What is allowed, in words.
    pub(crate) fn allowed(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        match &self.kind {
            Kind::Integer(bounds, _) => match *bounds.end() {
                u64::MAX => format!("a whole number of at least {}{unit}", bounds.start()),
                end => format!("a whole number from {} to {end}{unit}", bounds.start()),
            },
            Kind::Address(_) => "an IP address and a port, such as 127.0.0.1:4567".into(),
            Kind::Text(words, ..) => (*words).into(),
            Kind::Word(words, _) => words.join(" or "),
        }
    }

    /// Whether the file writes the value as a number, and not in quotes.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Integer(..))
    }

    /// Sets the value from its text.
    pub(crate) fn set(&self, config: &mut Config, text: &str) -> Result<(), NotAllowed> {
        match &self.kind {
            Kind::Integer(bounds, set) => {
                let value = text.parse().ok().filter(|value| bounds.contains(value)).ok_or(NotAllowed)?;
                set(config, value);
            }
            Kind::Address(set) => set(config, text.parse().map_err(|_| NotAllowed)?),
            Kind::Text(_, is_allowed, set) if is_allowed(text) => set(config, text),
            Kind::Word(words, set) if words.contains(&text) => set(config, text),
            Kind::Text(..) | Kind::Word(..) => return Err(NotAllowed),
        }
        Ok(())
    }
}

/// The value is not one that the key allows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAllowed;
