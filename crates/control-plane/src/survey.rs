//! Asks all nodes how the cluster stands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use types::NodeId;

use crate::Options;
use crate::calls::{Ask, CatalogGroup, Standing, Told};
use crate::service::CatalogService;
use crate::status::Facts;

/// How long a node may take to answer: people wait for a status, and one without a node that hangs says more than none.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);
/// How long the catalog here may take to become as new as the leader's.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// The way to what all nodes know.
#[derive(Clone)]
pub(crate) struct Survey {
    pub(crate) service: CatalogService,
    pub(crate) options: Options,
}

impl Survey {
    /// How things stand, by the word of all nodes that answer in time.
    pub(crate) async fn facts(&self) -> Facts {
        let mut standings = self.ask_all().await;
        // Of two that take themselves for leaders the one that has come further is right.
        let leading = standings.iter().filter(|(_, standing)| standing.catalog.is_some());
        let leader = leading.max_by_key(|(_, standing)| standing.applied_index).map(|(node, _)| *node);
        if let Some(leader) = leader {
            self.catch_up(standings[&leader].applied_index).await;
        }
        let group = leader.and_then(|leader| standings.get_mut(&leader)?.catalog.take());
        Facts {
            catalog: Arc::clone(&self.service.proposer.catalog.borrow()),
            own: self.service.raft.node(),
            leader,
            // Nobody leads: what this node remembers is the best there is. What others lack only a leader knows.
            group: group.unwrap_or_else(|| CatalogGroup { lags: Vec::new(), ..self.service.catalog_group() }),
            standings,
            lost_after: self.options.lost_after,
        }
    }

    async fn ask_all(&self) -> BTreeMap<NodeId, Standing> {
        let own = self.service.raft.node();
        let catalog = Arc::clone(&self.service.proposer.catalog.borrow());
        let others = catalog.nodes().keys().copied().filter(|node| *node != own && self.service.raft.is_alive(*node));
        let asked = others.map(|node| async move {
            match self.service.proposer.ask_within(node, &Ask::Standing, ANSWER_DEADLINE).await {
                Ok(Told::Standing(standing)) => Some((node, standing)),
                _ => None,
            }
        });
        let answers = join_all(asked).await.into_iter().flatten();
        answers.chain([(own, self.service.standing())]).collect()
    }

    async fn catch_up(&self, index: u64) {
        let proposer = &self.service.proposer;
        let mut catalog = proposer.catalog.clone();
        let caught_up = catalog.wait_for(|state| state.applied_index() >= index);
        tokio::select! {
            biased;
            seen = caught_up => drop(seen),
            () = proposer.env.clock.sleep(CATCH_UP_MAX) => {}
        }
    }
}
