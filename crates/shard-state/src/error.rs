use bytes::TryGetError;
use thiserror::Error;

/// Why stored bytes are not what they should be. Bytes with a good checksum never give one of these: it means damage
/// that the checksum missed, a newer version's data, or a bug; the replica must not go on with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The bytes end before the value does.
    #[error("the bytes end before the value does")]
    Truncated,
    /// Bytes are left after the value.
    #[error("{0} bytes follow the value")]
    Excess(usize),
    /// Written by a version that this program doesn't know.
    #[error("format version {0} is unknown: was the data written by a newer version?")]
    Version(u8),
    /// A kind of command that this program doesn't know.
    #[error("command kind {0} is unknown")]
    Kind(u8),
    /// Flags of a record that this program doesn't know.
    #[error("record flags {0:#04x} are unknown")]
    Flags(u8),
    /// A partition key is not UTF-8.
    #[error("a partition key is not UTF-8")]
    PartitionKey,
    /// A state that no sequence of commands leads to.
    #[error("the state contradicts itself: {0}")]
    Contradiction(&'static str),
}

impl From<TryGetError> for FormatError {
    fn from(_: TryGetError) -> FormatError {
        FormatError::Truncated
    }
}
