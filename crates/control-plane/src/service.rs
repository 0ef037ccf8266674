//! Answers other nodes' questions about the catalog and this node.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog_state::{CatalogCommand, StreamStatus};
use env::BoxFuture;
use journal::Journal;
use raft_group::{Leadership, RaftNode};
use transport::{Answer, Call, Handler};
use types::{GroupId, NodeId, ReplicaId};

use crate::calls::{self, Ask, CatalogGroup, Heard, Report, Standing, Told};
use crate::proposer::Proposer;
use crate::{Error, ShardHost};

/// How long a report waits for the catalog here to catch up with that of whoever asks.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// This node's part, for those who ask: other nodes, and its own governor.
#[derive(Clone)]
pub(crate) struct CatalogService {
    pub(crate) proposer: Proposer,
    pub(crate) host: Arc<dyn ShardHost>,
    pub(crate) journal: Journal,
    pub(crate) raft: RaftNode,
}

impl Handler for CatalogService {
    fn handle(&self, call: Call) -> BoxFuture<'static, Answer> {
        let service = self.clone();
        Box::pin(async move {
            let told = match calls::decode::<Ask>(&call.head) {
                Some(ask) => service.answer(call.from, ask).await,
                None => Told::Nonsense,
            };
            Answer { head: calls::encode(&told), body: Vec::new() }
        })
    }
}

impl CatalogService {
    async fn answer(&self, from: NodeId, ask: Ask) -> Told {
        match ask {
            Ask::Propose { command, .. } if CatalogCommand::decode(&command).is_err() => Told::Nonsense,
            Ask::Propose { command, relay } => {
                let payload = Bytes::from(command);
                let outcome = match relay {
                    true => self.proposer.propose_once(payload).await,
                    false => self.proposer.propose_here(payload).await,
                };
                match outcome {
                    Ok(answer) => Told::Proposed(answer.into()),
                    Err(Error::NotLeader { leader }) => Told::NotLeader(leader),
                    Err(error) => Told::Unknown(error.to_string()),
                }
            }
            Ask::Report { applied_index } => Told::Report(self.report_at(applied_index).await),
            Ask::Index => {
                let leads = self.proposer.group.leadership() == Leadership::Leads;
                Told::Index(leads.then(|| self.proposer.indexed(from)))
            }
            Ask::Standing => Told::Standing(self.standing()),
            Ask::Transfer { group, to } => Told::Transferred(self.host.transfer(group, to).await),
        }
    }

    async fn report_at(&self, applied_index: u64) -> Report {
        let mut catalog = self.proposer.catalog.clone();
        let caught_up = catalog.wait_for(|state| state.applied_index() >= applied_index);
        tokio::select! {
            biased;
            // A report by an older catalog errs on the safe side: what is unknown here is not said to be gone.
            seen = caught_up => drop(seen),
            () = self.proposer.env.clock.sleep(CATCH_UP_MAX) => return self.report(applied_index),
        }
        self.report(applied_index)
    }

    /// All that this node says for a status of the cluster.
    pub(crate) fn standing(&self) -> Standing {
        let group = &self.proposer.group;
        let catalog = Arc::clone(&self.proposer.catalog.borrow());
        let hear = |node: &NodeId| {
            let silent_ms = u64::try_from(self.raft.silence(*node).as_millis()).unwrap_or(u64::MAX);
            Heard { node: *node, is_alive: self.raft.is_alive(*node), silent_ms }
        };
        Standing {
            report: self.report(0),
            lags: self.host.lags(),
            heard: catalog.nodes().keys().map(hear).collect(),
            applied_index: catalog.applied_index(),
            catalog: (group.leadership() == Leadership::Leads).then(|| self.catalog_group()),
        }
    }

    /// The catalog's group, as this node knows it.
    pub(crate) fn catalog_group(&self) -> CatalogGroup {
        let group = &self.proposer.group;
        let members = group.membership();
        let nodes_of = |replicas: &BTreeSet<ReplicaId>| replicas.iter().map(|replica| replica.node()).collect();
        let lags = group.lags().into_iter().map(|(replica, entries)| (replica.node(), entries)).collect();
        let catalog = Arc::clone(&self.proposer.catalog.borrow());
        let is_outdated = |replica: &&ReplicaId| {
            catalog.nodes().get(&replica.node()).is_some_and(|node| node.catalog != replica.generation())
        };
        let outdated =
            members.voters.union(&members.learners).filter(is_outdated).map(|replica| replica.node()).collect();
        CatalogGroup { voters: nodes_of(&members.voters), learners: nodes_of(&members.learners), outdated, lags }
    }

    /// How things stand here.
    pub(crate) fn report(&self, applied_index: u64) -> Report {
        let catalog = Arc::clone(&self.proposer.catalog.borrow());
        let behind = catalog.applied_index() < applied_index;
        let node = self.proposer.group.replica().node();
        let stored: BTreeSet<GroupId> =
            self.journal.groups().into_iter().map(|file| ReplicaId::of_file(node, file).0).collect();
        let remains = |stream: &&catalog_state::Stream| {
            stream.status == StreamStatus::Deleting
                && (behind || stream.shards.values().any(|shard| stored.contains(&shard.group)))
        };
        let remains = catalog.streams().filter(remains).map(|stream| stream.id).collect();
        Report { led: self.host.led(), damaged: self.host.damaged(), remains }
    }
}
