//! Making a data directory that of a member, without serving.

use env::Env;
use journal::Journal;
use telemetry::Telemetry;
use types::{GroupId, NodeId, ReplicaId};

use crate::node::{Node, journal_options};
use crate::{Config, StartError};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Established {
    /// It has founded the cluster, or joined it.
    Now {
        /// The cluster's random identity.
        cluster_id: String,
    },
    /// It was a member's before, or a node runs on it, and nothing has been done.
    Before,
}

/// Founds the cluster in the data directory of `env`, or joins that of the configured seeds if there are any, and closes everything again:
/// the next [`crate::Server::start`] finds a member's directory, and needs no seeds. Waits as long as it takes to be let in; whoever drops it
/// leaves what a crash would leave, and may repeat it.
///
/// # Errors
/// [`StartError`], as a start has it.
pub async fn establish(env: Env, config: &Config) -> Result<Established, StartError> {
    let telemetry = Telemetry::new();
    control_plane::finish_start_over(&env).await?;
    if is_member(&env, config, &telemetry).await? {
        return Ok(Established::Before);
    }
    let node = Node::open(&env, config, &telemetry).await?;
    let cluster_id = node.control.cluster().id.to_string();
    node.close().await;
    Ok(Established::Now { cluster_id })
}

/// Whether something is stored of a catalog, or a running node holds the directory.
async fn is_member(env: &Env, config: &Config, telemetry: &Telemetry) -> Result<bool, StartError> {
    let (journal, _) = match Journal::open(env.clone(), journal_options(config), telemetry.clone()).await {
        Ok(opened) => opened,
        // Only a node holds one.
        Err(journal::Error::InUse) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    // A damaged one has been a member's, too.
    let is_kept = |file: &GroupId| journal.group(*file).map_or(true, |log| log.last().is_some());
    let of_catalog = |file: &GroupId| ReplicaId::of_file(NodeId(config.node_id), *file).0 == GroupId::CATALOG;
    let is_member = journal.groups().iter().filter(|file| of_catalog(file)).any(is_kept);
    journal.close().await;
    Ok(is_member)
}
