use std::sync::Arc;
use std::time::Duration;

use catalog_state::CatalogState;
use futures_util::future::join_all;
use raft_group::Leadership;
use tokio::sync::watch;
use types::NodeId;

use crate::Error;
use crate::calls::{Ask, Indexed, Told};
use crate::generation::{Generation, Stage};
use crate::proposer::Proposer;

/// Pause before the leader is asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a node may take to say what it knows.
const ASK_DEADLINE: Duration = Duration::from_secs(2);
/// Pause while the catalog here is catching up.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Finds out when the catalog on this node has caught up with what the cluster knew when this node started, and whether the cluster has given
/// this node another replica of it since: then what is stored here no longer counts.
pub(crate) struct Fresh {
    pub(crate) proposer: Proposer,
    pub(crate) fresh: watch::Sender<bool>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Fresh {
    pub(crate) async fn run(self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.catch_up() => {}
        }
        // Kept until the node ends: whoever watches it would take its end for an answer.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    async fn catch_up(&self) {
        let mut catalog = self.proposer.catalog.clone();
        while !*self.fresh.borrow() {
            let Some(word) = self.proposer.leaders_word().await else {
                self.proposer.env.clock.sleep(PAUSE).await;
                continue;
            };
            if word.generation.is_some_and(|generation| generation > self.generation()) {
                return self.superseded().await;
            }
            tokio::select! {
                biased;
                seen = catalog.wait_for(|state| state.applied_index() >= word.applied) => match seen {
                    Ok(_) => drop(self.fresh.send_replace(true)),
                    Err(_ended) => return,
                },
                // A replica that is no member any more hears nothing.
                () = self.proposer.env.clock.sleep(ASK_AGAIN) => {}
            }
        }
        let (node, generation) = (self.proposer.group.replica().node(), self.generation());
        let newer =
            |state: &Arc<CatalogState>| state.nodes().get(&node).is_some_and(|known| known.catalog > generation);
        if catalog.wait_for(newer).await.is_ok() {
            self.superseded().await;
        }
    }

    fn generation(&self) -> u32 {
        self.proposer.group.replica().generation()
    }

    /// An answer that never came: the cluster has agreed that this node starts over, and then the node went on with what it had. Nothing of that
    /// counts any more.
    async fn superseded(&self) {
        let env = &self.proposer.env;
        let mark = Generation { number: self.generation(), stage: Stage::Superseded };
        if let Err(error) = mark.store(&env.disk).await {
            tracing::error!(%error, "it cannot be noted that this node has to start over");
        }
        env.spawn.abort(&Error::Superseded.to_string()).await;
    }
}

impl Proposer {
    /// Completes when this node's catalog has everything that was committed when this was called, or sooner when the node ends. Returns up
    /// to where it is applied. Without a leader it waits for one, asking again after `pause`.
    pub(crate) async fn catch_up(&self, pause: Duration) -> Result<u64, Error> {
        let index = loop {
            if let Some(word) = self.leaders_word().await {
                break word.applied;
            }
            self.env.clock.sleep(pause).await;
        };
        let mut catalog = self.catalog.clone();
        let caught_up = catalog.wait_for(|state| state.applied_index() >= index).await;
        caught_up.map(|state| state.applied_index()).map_err(|_| Error::Stopped("the state machine is gone".into()))
    }

    /// What a leader says that certainly leads. One that this replica does not know of is looked for among all nodes: it may be no member any
    /// more, and so hear of nobody.
    async fn leaders_word(&self) -> Option<Indexed> {
        let known = match self.group.leadership() {
            Leadership::Leads => return Some(self.indexed(self.group.replica().node())),
            Leadership::Elsewhere(leader) => leader,
        };
        if let Some(leader) = known
            && let Some(word) = self.ask_leader(leader).await
        {
            return Some(word);
        }
        let own = self.group.replica().node();
        let others: Vec<NodeId> = self.catalog.borrow().nodes().keys().copied().filter(|node| *node != own).collect();
        let answers = others.into_iter().map(|node| self.ask_leader(node));
        join_all(answers).await.into_iter().flatten().next()
    }

    /// What this node, as the leader, says to another.
    pub(crate) fn indexed(&self, to: NodeId) -> Indexed {
        let catalog = self.catalog.borrow();
        Indexed { applied: catalog.applied_index(), generation: catalog.nodes().get(&to).map(|known| known.catalog) }
    }

    async fn ask_leader(&self, leader: NodeId) -> Option<Indexed> {
        match self.ask_within(leader, &Ask::Index, ASK_DEADLINE).await {
            Ok(Told::Index(word)) => word,
            _ => None,
        }
    }
}
