//! The loop that makes this node as the catalog wants it.

use std::sync::Arc;
use std::time::Duration;

use catalog_state::CatalogState;
use env::Env;
use futures_util::StreamExt;
use futures_util::stream;
use journal::Journal;
use tokio::sync::{Notify, watch};
use types::NodeId;

use crate::plan::{Action, Actual, Hosted, Place, plan, succeeded};
use crate::{HostError, ShardHost, ShardOpen};

/// Wakes on every state of the catalog and carries out what its plan says, until nothing is left to do.
pub(crate) struct Controller {
    pub(crate) node: NodeId,
    pub(crate) hands: Hands,
    pub(crate) catalog: watch::Receiver<Arc<CatalogState>>,
    pub(crate) stop: watch::Receiver<bool>,
    /// Whether the catalog here is as new as the cluster's was at this start.
    pub(crate) fresh: watch::Receiver<bool>,
    /// Set after the first round: each shard of the streams known then runs, or has failed to.
    pub(crate) ready: watch::Sender<bool>,
    /// Told after each round that has done something.
    pub(crate) progress: Arc<Notify>,
    pub(crate) actions_at_once: usize,
    pub(crate) retry_interval: Duration,
    pub(crate) actual: Actual,
}

/// What a step needs.
pub(crate) struct Hands {
    pub(crate) host: Arc<dyn ShardHost>,
    pub(crate) journal: Journal,
    pub(crate) env: Env,
}

/// How a round went.
#[derive(Default)]
struct Round {
    done: usize,
    failed: usize,
}

enum Failure {
    Damaged(Place, String),
    MayPass(String),
}

impl Controller {
    pub(crate) async fn run(mut self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.rounds() => {}
        }
    }

    async fn rounds(&mut self) {
        loop {
            let actions = {
                let catalog = Arc::clone(&self.catalog.borrow_and_update());
                plan(&catalog, &self.actual, self.node, *self.fresh.borrow_and_update())
            };
            let round = self.carry_out(actions).await;
            self.ready.send_replace(true);
            if round.done > 0 {
                self.progress.notify_one();
            }
            if round.done == 0 && self.wait(round.failed > 0).await.is_err() {
                return;
            }
        }
    }

    /// Until the catalog changes or, if something failed, it is time to try again.
    async fn wait(&mut self, failed: bool) -> Result<(), watch::error::RecvError> {
        tokio::select! {
            biased;
            changed = self.catalog.changed() => changed,
            Ok(()) = self.fresh.changed() => Ok(()),
            () = self.hands.env.clock.sleep(self.retry_interval), if failed => Ok(()),
        }
    }

    async fn carry_out(&mut self, actions: Vec<Action>) -> Round {
        let mut round = Round::default();
        let hands = &self.hands;
        let actual = &mut self.actual;
        let mut running = stream::iter(actions)
            .map(|action| async move {
                let result = hands.take(&action).await;
                (action, result)
            })
            .buffer_unordered(self.actions_at_once.max(1));
        while let Some((action, result)) = running.next().await {
            match result {
                Ok(()) => {
                    succeeded(actual, &action);
                    round.done += 1;
                }
                Err(Failure::Damaged(place, reason)) => {
                    let (group, replica) = place;
                    tracing::error!(%group, %replica, reason, "a replica is damaged on this node and answers errors");
                    actual.insert(place, Hosted::Damaged);
                }
                Err(Failure::MayPass(reason)) => {
                    tracing::warn!(?action, reason, "will be tried again");
                    if let Action::Open(open) = &action {
                        // It may have left something behind, which must go when the stream does.
                        actual.insert((open.group, open.replica), Hosted::Stored);
                    }
                    round.failed += 1;
                }
            }
        }
        round
    }
}

impl Hands {
    async fn take(&self, action: &Action) -> Result<(), Failure> {
        match action {
            Action::Open(open) => self.open(open).await,
            Action::SetRetention { place: (group, _), retention_ms } => {
                self.host.set_retention(*group, *retention_ms);
                Ok(())
            }
            Action::Drop(place) => self.drop_replica(*place).await,
        }
    }

    async fn open(&self, open: &ShardOpen) -> Result<(), Failure> {
        self.host.open(open.clone()).await.map_err(|error| match error {
            HostError::Damaged(reason) => Failure::Damaged((open.group, open.replica), reason),
            HostError::Failed(reason) => Failure::MayPass(reason),
        })
    }

    async fn drop_replica(&self, (group, replica): Place) -> Result<(), Failure> {
        self.host.drop_shard(group, replica).await.map_err(|error| Failure::MayPass(error.to_string()))?;
        // A group that never ran in this process is unknown to the host, yet stored.
        let file = replica.file_of(group);
        self.journal.drop_group(file).await.map_err(|error| Failure::MayPass(error.to_string()))?;
        tracing::info!(%group, %replica, "a replica has left this node");
        Ok(())
    }
}
