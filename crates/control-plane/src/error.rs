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
    /// The data directory holds shards but no catalog that knows them. Going on would drop their records as strangers'.
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
