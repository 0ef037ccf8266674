//! The loop on each node that changes the members of the shards it leads, as the catalog wants.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use catalog_state::{CatalogCommand, CatalogState};
use futures_util::{StreamExt, stream};
use raft_group::RaftNode;
use tokio::sync::watch;
use types::{GroupId, NodeId, ReplicaId};

use crate::proposer::Proposer;
use crate::{Options, ShardHost, placement};

pub(crate) struct Movers {
    pub(crate) proposer: Proposer,
    pub(crate) host: Arc<dyn ShardHost>,
    pub(crate) raft: RaftNode,
    pub(crate) options: Options,
    /// Whether the catalog here is as new as the cluster's was at this start: an older one may want what has long been undone.
    pub(crate) fresh: watch::Receiver<bool>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// A change that is under way in the catalog and that this node, as the leader, has to make.
#[derive(Debug)]
struct Move {
    group: GroupId,
    /// What the voters are to be in the end.
    voters: Vec<ReplicaId>,
    /// All that may be voters on the way there: with others, the plan is not about this group as it is.
    known: BTreeSet<ReplicaId>,
    /// How the catalog hears of it.
    done: CatalogCommand,
}

impl Movers {
    pub(crate) async fn run(self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.when_fresh() => {}
        }
    }

    async fn when_fresh(&self) {
        if self.fresh.clone().wait_for(|fresh| *fresh).await.is_ok() {
            self.rounds().await;
        }
    }

    async fn rounds(&self) {
        let mut catalog = self.proposer.catalog.clone();
        loop {
            let state = Arc::clone(&catalog.borrow_and_update());
            let pause = self.round(&state).await;
            drop(state);
            tokio::select! {
                biased;
                changed = catalog.changed() => if changed.is_err() { return },
                () = self.sleep(pause) => {}
            }
        }
    }

    async fn sleep(&self, pause: Option<Duration>) {
        match pause {
            Some(pause) => self.proposer.env.clock.sleep(pause).await,
            None => std::future::pending().await,
        }
    }

    /// Returns how long to wait for the next one if the catalog does not change: `None` if no change is under way.
    async fn round(&self, catalog: &Arc<CatalogState>) -> Option<Duration> {
        if catalog.shards().all(|(_, shard)| shard.target.is_none()) {
            return None;
        }
        let moves = self.moves(catalog);
        let made = stream::iter(moves).map(|change| self.make(change)).buffer_unordered(self.options.changes_at_once);
        made.for_each(|()| std::future::ready(())).await;
        // What this node does not lead now it may lead in a moment.
        Some(self.options.waiting_interval)
    }

    fn moves(&self, catalog: &CatalogState) -> Vec<Move> {
        let led: BTreeSet<GroupId> = self.host.led().into_iter().collect();
        let lost: BTreeSet<NodeId> = catalog
            .nodes()
            .keys()
            .copied()
            .filter(|node| self.raft.silence(*node) >= self.options.lost_after)
            .collect();
        let hopeless: BTreeSet<GroupId> =
            placement::abandoned(catalog, &lost).into_iter().map(|abandoned| abandoned.group).collect();
        let under_way = catalog.shards().filter_map(|(_, shard)| Some((shard, shard.target.clone()?)));
        under_way
            .filter(|(shard, _)| led.contains(&shard.group))
            .map(|(shard, to)| match hopeless.contains(&shard.group) && !self.is_made(shard.group, &to) {
                true => Move {
                    group: shard.group,
                    voters: shard.replicas.clone(),
                    known: shard.replicas.iter().chain(&to).copied().collect(),
                    done: CatalogCommand::AbandonChange { group: shard.group, to },
                },
                false => Move {
                    group: shard.group,
                    voters: to.clone(),
                    known: shard.replicas.iter().chain(&to).copied().collect(),
                    done: CatalogCommand::ReplicasChanged { group: shard.group, to },
                },
            })
            .collect()
    }

    /// Whether the group has changed already, and only the catalog has yet to hear of it.
    fn is_made(&self, group: GroupId, to: &[ReplicaId]) -> bool {
        self.host.voters(group).is_some_and(|voters| voters.iter().eq(&to.iter().copied().collect::<BTreeSet<_>>()))
    }

    async fn make(&self, change: Move) {
        let voters: BTreeSet<ReplicaId> = change.voters.iter().copied().collect();
        let deadline = self.options.change_deadline;
        if let Err(reason) = self.host.change_members(change.group, change.known, voters, deadline).await {
            tracing::info!(group = %change.group, reason, "replicas are still moving");
            return;
        }
        match self.proposer.propose(&change.done).await {
            Ok(reply) => tracing::info!(group = %change.group, voters = ?change.voters, ?reply, "replicas have moved"),
            Err(error) => {
                tracing::warn!(group = %change.group, %error, "the catalog has yet to hear that replicas have moved")
            }
        }
    }
}
