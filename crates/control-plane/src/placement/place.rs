use std::collections::BTreeSet;

use catalog_state::CatalogState;
use types::NodeId;

use super::board::Board;
use super::deal::{deal, even_firsts, mix};
use super::quotas::{Candidate, quotas};

/// Why new shards can't be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlacementError {
    /// Fewer nodes can take replicas than each shard should have.
    #[error("{replication} replicas need as many active nodes that are up, but there are {usable}")]
    TooFewNodes {
        /// Nodes that can take replicas now.
        usable: usize,
        /// Replicas that each shard should have.
        replication: u8,
    },
}

/// Nodes for the replicas of `count` new shards, the preferred leader first, for [`catalog_state::CatalogCommand::CreateStream`].
///
/// Only active nodes that are alive; no node twice in a shard; each shard spread over as many zones as possible and as evenly as their
/// sizes allow. Within that, replicas are as even over the nodes as they can be together with those there are: within one, where zones
/// are of one size and things were even before. So are first places, as far as the nodes of the new shards allow.
///
/// # Errors
/// When fewer nodes than `replication` can take replicas.
///
/// # Panics
/// When `replication` is 0, which no configuration allows.
pub fn place(
    catalog: &CatalogState,
    alive: &BTreeSet<NodeId>,
    replication: u8,
    count: u32,
) -> Result<Vec<Vec<NodeId>>, PlacementError> {
    assert!(replication > 0, "a shard has at least one replica");
    let board = Board::new(catalog, alive, &BTreeSet::new());
    let mut candidates: Vec<Candidate<'_>> = board
        .replicas()
        .iter()
        .map(|(node, load)| Candidate { zone: board.zone(*node), node: *node, load: *load })
        .collect();
    candidates.sort_by_key(|candidate| (candidate.zone, candidate.node));
    let (usable, replicas, count) = (candidates.len(), usize::from(replication), count as usize);
    if usable < replicas {
        return Err(PlacementError::TooFewNodes { usable, replication });
    }
    let quotas = quotas(&candidates, replicas, count);
    let mut lists = deal(&candidates, &quotas, replicas, count);
    mix(&mut lists, |node| board.zone(node));
    even_firsts(&mut lists, &mut board.firsts().clone());
    Ok(lists)
}
