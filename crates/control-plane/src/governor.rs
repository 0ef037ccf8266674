//! The loop on the catalog's leader that has the cluster become as the catalog wants it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use catalog_state::{CatalogCommand, CatalogError, CatalogReply, CatalogState};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use raft_group::{ChangeError, Leadership, RaftNode};
use tokio::sync::{Notify, watch};
use types::{NodeId, ReplicaId};

use crate::Options;
use crate::calls::{Ask, CatalogGroup, Told};
use crate::govern::{Order, Pace, View, is_waiting, orders};
use crate::placement::Transfer;
use crate::service::CatalogService;

/// The catalog's leadership moves within this time, or stays: a transfer takes a few milliseconds.
const CATALOG_TRANSFER_DEADLINE: Duration = Duration::from_secs(2);

/// Runs on every node, and does nothing where another leads the catalog.
pub(crate) struct Governor {
    pub(crate) service: CatalogService,
    pub(crate) raft: RaftNode,
    pub(crate) options: Options,
    /// Told when this node has done a part of its own.
    pub(crate) progress: Arc<Notify>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Governor {
    pub(crate) async fn run(self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.rounds() => {}
        }
    }

    async fn rounds(&self) {
        let mut catalog = self.service.proposer.catalog.clone();
        loop {
            let state = Arc::clone(&catalog.borrow_and_update());
            let pause = match self.service.proposer.group.leadership() {
                Leadership::Leads => self.round(&state).await,
                // It may come to lead without a change of the catalog.
                Leadership::Elsewhere(_) => Some(self.options.round_interval),
            };
            drop(state);
            tokio::select! {
                biased;
                changed = catalog.changed() => if changed.is_err() { return },
                () = self.progress.notified() => {}
                () = self.sleep(pause) => {}
            }
        }
    }

    /// `None`: until something happens.
    async fn sleep(&self, pause: Option<Duration>) {
        match pause {
            Some(pause) => self.service.proposer.env.clock.sleep(pause).await,
            None => std::future::pending().await,
        }
    }

    /// Returns how long to wait for the next one, if nothing happens.
    async fn round(&self, catalog: &Arc<CatalogState>) -> Option<Duration> {
        let view = self.look(catalog).await;
        let pace = Pace { changes: self.options.changes_at_once, transfers: self.options.transfers_at_once };
        let orders = orders(catalog, &view, pace);
        let (transfers, orders): (Vec<Order>, Vec<Order>) =
            orders.into_iter().partition(|order| matches!(order, Order::Transfer(_)));
        let (proposals, of_catalog): (Vec<Order>, Vec<Order>) =
            orders.into_iter().partition(|order| matches!(order, Order::Propose(_)));
        let mut failed = !self.carry_out_all(&proposals).await;
        let moved = self.carry_out_transfers(transfers).await;
        // Last: it may end this node's time as the catalog's leader.
        failed |= !self.carry_out_all(&of_catalog).await;
        let alone = catalog.nodes().len() < 2;
        match () {
            () if failed && alone => Some(self.options.retry_interval),
            // After leaders have moved there may be more to move, for which somebody may wait.
            () if moved || is_waiting(catalog) => Some(self.options.waiting_interval),
            // One node tells itself.
            () if alone => None,
            () => Some(self.options.round_interval),
        }
    }

    async fn look(&self, catalog: &Arc<CatalogState>) -> View {
        let own = self.raft.node();
        let nodes: BTreeSet<NodeId> = catalog.nodes().keys().copied().collect();
        let alive: BTreeSet<NodeId> = nodes.iter().copied().filter(|node| self.raft.is_alive(*node)).collect();
        let lost = nodes.iter().copied().filter(|node| self.raft.silence(*node) >= self.options.lost_after);
        let applied_index = catalog.applied_index();
        let asked = alive.iter().map(|node| async move {
            if *node == own {
                return Some((own, self.service.report(applied_index)));
            }
            match self.service.proposer.ask(*node, &Ask::Report { applied_index }).await {
                Ok(Told::Report(report)) => Some((*node, report)),
                _ => None,
            }
        });
        let mut reports: std::collections::BTreeMap<_, _> = join_all(asked).await.into_iter().flatten().collect();
        reports.values_mut().for_each(|report| report.led.sort_unstable());
        let CatalogGroup { voters, learners, outdated, .. } = self.service.catalog_group();
        View { reports, lost: lost.collect(), alive, catalog_leader: Some(own), voters, learners, outdated }
    }

    /// One after another. Whether all have been done.
    async fn carry_out_all(&self, orders: &[Order]) -> bool {
        let mut done = true;
        for order in orders {
            done &= self.carry_out(order).await;
        }
        done
    }

    /// Many at once, since a draining node may lead hundreds of shards and somebody waits to stop it. Whether any has come to pass.
    async fn carry_out_transfers(&self, transfers: Vec<Order>) -> bool {
        let made = stream::iter(transfers).map(|order| async move { self.carry_out(&order).await });
        let made = made.buffer_unordered(self.options.transfers_at_once.max(1));
        made.fold(false, |any, done| std::future::ready(any | done)).await
    }

    /// Whether it has been done, or has become needless.
    async fn carry_out(&self, order: &Order) -> bool {
        let outcome = match order {
            Order::Propose(command) => self.propose(command).await,
            Order::Transfer(transfer) => self.transfer(*transfer).await,
            Order::CatalogMembers { voters, learners } => self.change_catalog(voters, learners).await,
            Order::CatalogLeader { to } => self.transfer_catalog(*to).await,
        };
        if let Err(reason) = &outcome {
            tracing::warn!(?order, reason, "will be tried again");
        }
        outcome.is_ok()
    }

    async fn propose(&self, command: &CatalogCommand) -> Result<(), String> {
        match self.service.proposer.propose(command).await {
            // Another proposal has come first: the next look at the catalog tells.
            Ok(CatalogReply::Refused(
                CatalogError::NotFound
                | CatalogError::NotActive { .. }
                | CatalogError::ReplicasDiffer(_)
                | CatalogError::UnknownNode(_)
                | CatalogError::UnknownGroup(_),
            )) => Ok(()),
            Ok(CatalogReply::Refused(refusal)) => Err(refusal.to_string()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn transfer(&self, transfer: Transfer) -> Result<(), String> {
        let Transfer { group, from, to } = transfer;
        if from == self.raft.node() {
            return self.service.host.transfer(group, to).await;
        }
        match self.service.proposer.ask(from, &Ask::Transfer { group, to }).await {
            Ok(Told::Transferred(outcome)) => outcome,
            Ok(told) => Err(format!("the node answers {told:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn transfer_catalog(&self, to: NodeId) -> Result<(), String> {
        tracing::info!(%to, "the catalog's leadership moves");
        let moved = self.service.proposer.group.transfer(to, CATALOG_TRANSFER_DEADLINE).await;
        moved.map_err(|error| error.to_string())
    }

    async fn change_catalog(&self, voters: &BTreeSet<NodeId>, learners: &BTreeSet<NodeId>) -> Result<(), String> {
        let group = &self.service.proposer.group;
        let (catalog, now) = (Arc::clone(&self.service.proposer.catalog.borrow()), group.membership());
        // A node that has another replica by now keeps the old one in the list until it is there to be given the new one: nobody waits for it.
        let replica = |node: &NodeId| {
            let member = now.voters.union(&now.learners).find(|replica| replica.node() == *node).copied();
            let known = catalog.nodes().get(node).map(|known| ReplicaId::new(*node, known.catalog));
            match (known, member) {
                (Some(new), Some(_)) if self.raft.is_alive(*node) => new,
                (_, Some(member)) => member,
                (known, None) => known.unwrap_or(ReplicaId::new(*node, 0)),
            }
        };
        let replicas = |nodes: &BTreeSet<NodeId>| nodes.iter().map(replica).collect();
        tracing::info!(?voters, ?learners, "the catalog's members change");
        match group.change_members(&replicas(voters), &replicas(learners), self.options.change_deadline).await {
            Ok(()) | Err(ChangeError::HandedOver { .. }) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}
