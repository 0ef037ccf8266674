use std::io;

use catalog_state::CatalogError;
use types::{GroupId, NodeId};

/// Why the catalog could not do something. What it *refuses* is no error but a [`catalog_state::CatalogReply`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal failed, or what it stores of the catalog is damaged.
    #[error("the catalog's log: {0}")]
    Journal(#[from] journal::Error),
    /// The catalog's group could not be opened.
    #[error("the catalog's group: {0}")]
    Group(#[from] raft_group::Error),
    /// The data directory is a member's, but holds no catalog. Going on would drop the records of shards as strangers', and where this node is the
    /// founder, make another cluster.
    #[error(
        "the data directory holds {groups} shard groups, but its catalog is empty: the catalog is lost. Restore the directory \
         from a copy, or use an empty one"
    )]
    CatalogLost {
        /// How many groups were found.
        groups: usize,
    },
    /// The data directory holds a shard that was made after everything that its catalog knows. Going on would give its number again.
    #[error(
        "the data directory holds shard group {newest}, but its catalog has not made group {next} yet: the catalog is older than the data, a part of it \
         is lost. Restore the directory from a copy"
    )]
    CatalogOlder {
        /// The newest group found.
        newest: GroupId,
        /// The group that the catalog would make next.
        next: GroupId,
    },
    /// The file that says which replica of the catalog this node has cannot be used.
    #[error("the data directory: {0}")]
    Directory(io::Error),
    /// There is nobody from whom the lost data could come.
    #[error(
        "no other node is known from which it could be had again: restore the directory from a copy, or use an empty one"
    )]
    Alone,
    /// No majority of the cluster has agreed that this node starts over.
    #[error(
        "no majority of the cluster has agreed to give it all to this node again ({0}); nothing was changed on its disk, it is tried again at the next start"
    )]
    NotLetGo(String),
    /// The cluster has found out that this node's data is older than what it has been given since.
    #[error("the cluster has given this node everything anew since: what is stored here is of an earlier time")]
    Superseded,
    /// The first command was refused.
    #[error("the catalog could not be initialised: {0}")]
    Initialise(CatalogError),
    /// This node can't be a member of the cluster.
    #[error("node {node} can't join the cluster: {reason}")]
    Join {
        /// The number that this node is configured with.
        node: NodeId,
        /// Why.
        reason: CatalogError,
    },
    /// The data directory is another node's.
    #[error("the data directory belongs to node {owner}, but this node is configured as {node}")]
    OtherNode {
        /// The number that this node is configured with.
        node: NodeId,
        /// The number that the data directory has in the catalog.
        owner: NodeId,
    },
    /// Another node leads the catalog.
    #[error("{}", elsewhere(*leader))]
    NotLeader {
        /// Which one, as far as known.
        leader: Option<NodeId>,
    },
    /// The command may or may not have been carried out: the deadline passed, or the leader changed meanwhile.
    #[error("it is unknown whether the command was carried out: {0}")]
    Unknown(String),
    /// The catalog's group has died; this node needs a restart.
    #[error("the catalog's group has stopped: {0}")]
    Stopped(String),
    /// The state machine's answer could not be read: the nodes run versions that don't understand each other.
    #[error("the catalog's answer is malformed: {0}")]
    Reply(String),
}

impl Error {
    /// Whether what this node stores of the catalog is lost, so that it can only [start over](crate::start_over).
    #[must_use]
    pub fn is_loss(&self) -> bool {
        match self {
            Error::Journal(error) => {
                matches!(error, journal::Error::Damaged(_) | journal::Error::GroupDamaged { .. })
            }
            Error::Directory(error) => error.kind() == io::ErrorKind::InvalidData,
            Error::Join { reason, .. } => matches!(reason, CatalogError::OldData { .. }),
            Error::CatalogLost { .. } | Error::Superseded => true,
            _ => false,
        }
    }
}

fn elsewhere(leader: Option<NodeId>) -> String {
    leader
        .map_or("no node is known to lead the catalog".to_owned(), |leader| format!("node {leader} leads the catalog"))
}

/// Why a node's state stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum NodeStateError {
    /// No node ever had this number.
    #[error("node {0} is no member of the cluster")]
    Unknown(NodeId),
    /// The node was a member.
    #[error("node {0} has been removed from the cluster")]
    Removed(NodeId),
    /// It would do harm, or can't come to an end.
    #[error("{0}")]
    Harmful(String),
    /// The catalog refuses.
    #[error("{0}")]
    Refused(CatalogError),
    /// The catalog can't be changed now.
    #[error(transparent)]
    Catalog(#[from] Error),
}
