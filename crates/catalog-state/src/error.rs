use thiserror::Error;

/// Why stored bytes are not a command or a state of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// There are no bytes.
    #[error("no bytes")]
    Empty,
    /// Written by a version that this program doesn't know.
    #[error("format version {0} is unknown: was the data written by another version of this program?")]
    Version(u8),
    /// The fields don't decode.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Bytes are left after the value.
    #[error("{0} bytes follow the value")]
    Excess(usize),
    /// A state that no sequence of commands leads to.
    #[error("the state contradicts itself: {0}")]
    Contradiction(String),
}
