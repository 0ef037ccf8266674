use std::io;

use crate::frame::FrameError;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the other side closed it")]
    Ended,
    #[error("nothing was heard for too long")]
    Silent,
    #[error("the other side reads nothing")]
    Stalled,
    #[error("answers that have arrived are not taken")]
    AnswersNotTaken,
    #[error("the other side sent a malformed frame: {0}")]
    Malformed(#[from] FrameError),
    #[error("closed here")]
    Closed,
}
