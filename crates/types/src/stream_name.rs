use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ParseError;
use crate::limits::STREAM_NAME_CHARS_MAX;

/// The name of a stream, unique within the account. Cheap to clone.
///
/// Source of the pattern: the shape `StreamName` of the service model.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// Checks `[a-zA-Z0-9_.-]+`, 1 to 128 characters.
    ///
    /// # Errors
    /// [`ParseError::StreamName`] for anything else.
    pub fn parse(text: &str) -> Result<StreamName, ParseError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if text.is_empty() || text.len() > STREAM_NAME_CHARS_MAX || !text.bytes().all(allowed) {
            return Err(ParseError::StreamName);
        }
        Ok(StreamName(Arc::from(text)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<StreamName, ParseError> {
        StreamName::parse(text)
    }
}

impl TryFrom<String> for StreamName {
    type Error = ParseError;

    fn try_from(text: String) -> Result<StreamName, ParseError> {
        StreamName::parse(&text)
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> String {
        name.as_str().to_owned()
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_128_allowed_characters() {
        for good in ["a", "flights-2013_v1.0", &"x".repeat(128)] {
            assert_eq!(StreamName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "flüsse", &"x".repeat(129)] {
            assert_eq!(StreamName::parse(bad), Err(ParseError::StreamName), "{bad}");
        }
    }

    #[test]
    fn a_bad_name_does_not_come_in_through_serde() {
        assert!(serde_json::from_str::<StreamName>("\"flights\"").is_ok());
        assert!(serde_json::from_str::<StreamName>("\"flights/2013\"").is_err());
    }
}
