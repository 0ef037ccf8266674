//! What can go wrong with a call, by what the caller may conclude from it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use types::NodeId;

use crate::Service;
use crate::hello::Version;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The call was surely not carried out.
    #[error("not sent: {0}")]
    NotSent(#[from] NotSent),
    /// The call was queued for writing: it may have been carried out, or still be.
    #[error("outcome unknown: {0}")]
    Unknown(#[from] Unknown),
    /// The other node refused to carry the call out.
    #[error("refused: {0}")]
    Refused(#[from] Refused),
}

/// Why a call was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// No address is known: [`crate::Transport::set_peer`] was not called, or the peer was removed since.
    #[error("node {0} is not known here")]
    UnknownPeer(NodeId),
    /// No connection could be made, or it was lost before the call was queued.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// As given to [`crate::Transport::set_peer`].
        address: Arc<str>,
        /// What the operating system says.
        reason: Arc<str>,
    },
    /// Somebody is there, but the wrong one.
    #[error("{address} is not the node that was meant: {reason}")]
    Handshake {
        /// As given to [`crate::Transport::set_peer`].
        address: Arc<str>,
        /// What doesn't fit.
        reason: HandshakeError,
    },
    /// The deadline passed while the connection was being made.
    #[error("the deadline passed before there was a connection")]
    NoConnection,
    /// The deadline passed while [`crate::Options::in_flight_bytes_max`] or [`crate::Options::calls_max`] was used up.
    #[error("the deadline passed while too much else was in flight")]
    NoRoom,
    /// The message is larger than [`crate::Options::frame_bytes_max`].
    #[error("a message of {bytes} bytes is too large, the most is {bytes_max}")]
    TooLarge {
        /// Bytes of its head and body.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The transport has been closed.
    #[error("this node's transport is closed")]
    Closed,
}

/// Why a call's outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No answer came within the deadline.
    #[error("no answer within the deadline")]
    Deadline,
    /// The connection ended before the answer came.
    #[error("the connection was lost: {0}")]
    Lost(Arc<str>),
}

/// Why the other node refused a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has no such service, or not yet: it may be starting.
    #[error("the node does not serve calls of kind {}", .0.0)]
    NoService(Service),
    /// The call was carried out, but its answer is larger than [`crate::Options::frame_bytes_max`].
    #[error("the answer is too large")]
    AnswerTooLarge,
    /// A reason that this version of the program doesn't know.
    #[error("{0}")]
    Other(Arc<str>),
}

/// What two nodes found out about each other that keeps them apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The other side speaks something else.
    #[error("it does not speak Thalweg's protocol between nodes")]
    NotThalweg,
    /// Another major version of the protocol between nodes.
    #[error(
        "it speaks version {theirs} of the protocol between nodes, this node {ours}: run versions of Thalweg that understand each other"
    )]
    Version {
        /// This node's.
        ours: Version,
        /// The other's.
        theirs: Version,
    },
    /// Another cluster.
    #[error("it belongs to the cluster `{theirs}`, this node to `{ours}`")]
    Cluster {
        /// This node's.
        ours: Arc<str>,
        /// The other's.
        theirs: Arc<str>,
    },
    /// Another node of the same cluster.
    #[error("it is node {found}, not node {meant}")]
    Node {
        /// The node that was to be reached.
        meant: NodeId,
        /// The node that is there.
        found: NodeId,
    },
    /// Its certificate is of the cluster's authority, but not that of the node that it says it is, or that was meant.
    #[error("its certificate is not valid for the name `{name}`")]
    Certificate {
        /// The DNS name that it would need.
        name: Arc<str>,
    },
    /// The bytes are not a handshake of this version.
    #[error("its handshake is malformed: {0}")]
    Malformed(&'static str),
    /// It gives a reason of its own.
    #[error("it refuses: {0}")]
    Refused(Arc<str>),
}

/// The cluster's name is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{cluster}` is no cluster name, allowed are 1 to 63 of a-z, 0-9 and -, with no - at its ends")]
pub struct IdentityError {
    /// What was given.
    pub cluster: String,
}

/// Why the transport does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// It has been closed.
    #[error("the transport is closed")]
    Closed,
}
