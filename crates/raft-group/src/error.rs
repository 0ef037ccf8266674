use types::NodeId;

/// Why a group could not be opened or administered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log failed.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The state machine could not be restored.
    #[error(transparent)]
    Machine(#[from] crate::MachineError),
    /// The group has died and does nothing more.
    #[error("the group has stopped: {0}")]
    Stopped(String),
    /// It took longer than it may.
    #[error("the group did not get ready in time: {0}")]
    Timeout(String),
}

/// Why a proposal was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// This node does not lead the group; nothing was proposed.
    #[error("another node leads the group")]
    NotLeader {
        /// The leader, if known.
        leader: Option<NodeId>,
    },
    /// The entry may or may not be committed, now or later.
    #[error("nobody knows whether it was committed: {0}")]
    Unknown(String),
}
