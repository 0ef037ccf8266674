//! How a node becomes a member of its cluster, or shows that it is one.

use std::sync::Arc;
use std::time::Duration;

use catalog_state::{CatalogCommand, CatalogError, CatalogReply, CatalogState, Cluster, ClusterId};
use types::{GroupId, NodeId, TimestampMs};

use crate::calls::{Ask, Told};
use crate::proposer::Proposer;
use crate::{Error, Local, Origin, reply};

/// Pause between two attempts to be let in.
const PAUSE: Duration = Duration::from_millis(500);

/// A node at the door.
pub(crate) struct Entry<'a> {
    pub(crate) proposer: &'a Proposer,
    pub(crate) local: &'a Local,
    /// Whether nothing is stored of the catalog.
    pub(crate) is_new: bool,
    /// The newest group of which something is stored here.
    pub(crate) newest: Option<GroupId>,
}

impl Entry<'_> {
    /// Completes when the catalog on this node knows this node by its number, its directory and its addresses.
    pub(crate) async fn enter(&self) -> Result<Cluster, Error> {
        let group = &self.proposer.group;
        if self.is_new && self.local.origin == Origin::Found {
            group.initialize(&[group.replica()]).await?;
        }
        if group.is_sole_voter() {
            group.wait_leader(self.proposer.deadline).await?;
            self.refuse_older()?;
            self.ensure_identity().await?;
        }
        let join = self.join_command();
        while !self.is_member()? {
            match self.introduce(&join).await {
                // The node that was asked is the founder, a moment before it is done.
                Ok(CatalogReply::Refused(reason @ CatalogError::NotInitialised)) => {
                    tracing::info!(%reason, "not let in yet");
                    self.proposer.env.clock.sleep(PAUSE).await;
                }
                Ok(CatalogReply::Refused(reason)) => return Err(Error::Join { node: self.local.node, reason }),
                Ok(_) => self.wait_for_catalog().await,
                Err(error) => {
                    tracing::info!(%error, "not let in yet: does a majority of the cluster run, and are its addresses right?");
                    self.proposer.env.clock.sleep(PAUSE).await;
                }
            }
        }
        let cluster = self.catalog().cluster().cloned();
        cluster.ok_or_else(|| Error::Unknown("the catalog has members but no identity".into()))
    }

    fn catalog(&self) -> Arc<CatalogState> {
        Arc::clone(&self.proposer.catalog.borrow())
    }

    /// A group is made after the command that gives it its number is durable here: where there is no other copy of the catalog, one
    /// that it has not made yet means that it has lost its newest part.
    fn refuse_older(&self) -> Result<(), Error> {
        let next = self.catalog().next_group();
        match self.newest {
            Some(newest) if newest >= next => Err(Error::CatalogOlder { newest, next }),
            _ => Ok(()),
        }
    }

    /// Gives a new cluster its identity: what of it is random is drawn here, once, so that every replica stores the same.
    async fn ensure_identity(&self) -> Result<(), Error> {
        if self.catalog().cluster().is_some() {
            return Ok(());
        }
        let (random, clock) = (&self.proposer.env.random, &self.proposer.env.clock);
        let mut iterator_key = [0; 32];
        random.fill(&mut iterator_key);
        let cluster_id = ClusterId(u128::from(random.u64()) << 64 | u128::from(random.u64()));
        let command = CatalogCommand::Initialise { cluster_id, iterator_key, at: TimestampMs(clock.unix_ms()) };
        self.proposer.propose(&command).await?.into_result().map_err(Error::Initialise)?;
        tracing::info!(%cluster_id, "a new cluster");
        Ok(())
    }

    /// Whether the catalog here knows this node as it is now.
    fn is_member(&self) -> Result<bool, Error> {
        let (catalog, local) = (self.catalog(), self.local);
        if let Some(owner) = catalog.node_of_incarnation(local.incarnation).filter(|owner| *owner != local.node) {
            return Err(Error::OtherNode { node: local.node, owner });
        }
        let known = catalog.nodes().get(&local.node);
        if known.is_some_and(|known| known.incarnation != local.incarnation) {
            return Err(Error::Join { node: local.node, reason: CatalogError::NodeIdTaken(local.node) });
        }
        Ok(known.is_some_and(|known| {
            let addresses = (&known.api_addr, &known.peer_addr, &known.zone);
            addresses == (&local.api_addr, &local.peer_addr, &local.zone) && known.catalog == self.generation()
        }))
    }

    fn join_command(&self) -> CatalogCommand {
        let Local { node, incarnation, api_addr, peer_addr, zone, .. } = self.local.clone();
        let catalog = self.generation();
        CatalogCommand::JoinNode {
            incarnation,
            preferred: Some(node),
            api_addr,
            peer_addr,
            zone,
            catalog,
            starts_over: false,
        }
    }

    fn generation(&self) -> u32 {
        self.proposer.group.replica().generation()
    }

    /// Has the cluster take note of this node: through its own replica if that has members, else through a node that it was told of.
    async fn introduce(&self, join: &CatalogCommand) -> Result<CatalogReply, Error> {
        let seeds = match &self.local.origin {
            Origin::Join(seeds) if self.catalog().cluster().is_none() => seeds,
            _ => return self.proposer.propose(join).await,
        };
        let mut last = Error::Unknown("there is nobody to ask".into());
        for seed in seeds.iter().filter(|seed| **seed != self.local.peer_addr) {
            match self.ask(seed, join).await {
                Ok(reply) => return Ok(reply),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask(&self, seed: &str, join: &CatalogCommand) -> Result<CatalogReply, Error> {
        let ask = Ask::Propose { command: join.encode(), relay: true };
        match self.proposer.ask_at(seed, &ask).await {
            Ok(Told::Proposed(answer)) => reply::decode(&answer).map(|(_, reply)| reply).map_err(Error::Reply),
            Ok(Told::NotLeader(leader)) => Err(Error::NotLeader { leader }),
            Ok(Told::Unknown(reason)) => Err(Error::Unknown(reason)),
            Ok(told) => Err(Error::Unknown(format!("{seed} answers {told:?}"))),
            Err(error) => Err(Error::Unknown(format!("{seed}: {error}"))),
        }
    }

    /// The catalog's leader makes this node a learner, and then sends it the catalog.
    async fn wait_for_catalog(&self) {
        let node: NodeId = self.local.node;
        let mut catalog = self.proposer.catalog.clone();
        let known = catalog.wait_for(|state| state.nodes().contains_key(&node));
        tokio::select! {
            biased;
            seen = known => drop(seen),
            () = self.proposer.env.clock.sleep(self.proposer.deadline) => {
                tracing::info!("the cluster knows this node and has yet to send it the catalog");
            }
        }
    }
}
