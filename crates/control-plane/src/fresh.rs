use std::time::Duration;

use raft_group::Leadership;
use tokio::sync::watch;
use types::NodeId;

use crate::calls::{Ask, Told};
use crate::proposer::Proposer;

/// Pause before the leader is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// Finds out when the catalog on this node has caught up with what the cluster knew when this node started.
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
        let index = loop {
            if let Some(index) = self.leaders_index().await {
                break index;
            }
            self.proposer.env.clock.sleep(PAUSE).await;
        };
        let mut catalog = self.proposer.catalog.clone();
        if catalog.wait_for(|state| state.applied_index() >= index).await.is_ok() {
            self.fresh.send_replace(true);
        }
    }

    /// Up to where a leader that certainly leads has applied the catalog.
    async fn leaders_index(&self) -> Option<u64> {
        match self.proposer.group.leadership() {
            Leadership::Leads => Some(self.proposer.catalog.borrow().applied_index()),
            Leadership::Elsewhere(None) => None,
            Leadership::Elsewhere(Some(leader)) => self.ask(leader).await,
        }
    }

    async fn ask(&self, leader: NodeId) -> Option<u64> {
        match self.proposer.ask(leader, &Ask::Index).await {
            Ok(Told::Index(index)) => index,
            _ => None,
        }
    }
}
