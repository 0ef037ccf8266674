use std::time::Duration;

use raft_group::Leadership;
use tokio::sync::watch;
use types::NodeId;

use crate::Error;
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
        if self.proposer.catch_up(PAUSE).await.is_ok() {
            self.fresh.send_replace(true);
        }
    }
}

impl Proposer {
    /// Completes when this node's catalog has everything that was committed when this was called, or sooner when the node ends. Returns up
    /// to where it is applied. Without a leader it waits for one, asking again after `pause`.
    pub(crate) async fn catch_up(&self, pause: Duration) -> Result<u64, Error> {
        let index = loop {
            if let Some(index) = self.leaders_index().await {
                break index;
            }
            self.env.clock.sleep(pause).await;
        };
        let mut catalog = self.catalog.clone();
        let caught_up = catalog.wait_for(|state| state.applied_index() >= index).await;
        caught_up.map(|state| state.applied_index()).map_err(|_| Error::Stopped("the state machine is gone".into()))
    }

    /// Up to where a leader that certainly leads has applied the catalog.
    async fn leaders_index(&self) -> Option<u64> {
        match self.group.leadership() {
            Leadership::Leads => Some(self.catalog.borrow().applied_index()),
            Leadership::Elsewhere(None) => None,
            Leadership::Elsewhere(Some(leader)) => self.ask_index(leader).await,
        }
    }

    async fn ask_index(&self, leader: NodeId) -> Option<u64> {
        match self.ask(leader, &Ask::Index).await {
            Ok(Told::Index(index)) => index,
            _ => None,
        }
    }
}
