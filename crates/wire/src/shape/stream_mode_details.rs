//! `StreamModeDetails`

use serde::Serialize;

use super::StreamMode;

/// The capacity mode of a stream, in replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamModeDetails {
    /// The mode.
    pub stream_mode: StreamMode,
}
