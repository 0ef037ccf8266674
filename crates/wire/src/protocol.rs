//! The protocols a body can be written in.

/// How requests and replies are encoded. A client chooses by its content type; the reply has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.1: blobs are base64, times are seconds with a fraction.
    Json,
}

impl Protocol {
    /// The content type of requests and replies.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
        }
    }
}
