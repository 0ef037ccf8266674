use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog_state::{CatalogCommand, CatalogReply, CatalogState};
use env::Env;
use raft_group::{ProposeError, RaftGroup};
use tokio::sync::watch;
use transport::{CallError, Lane, Request, Transport};
use types::{GroupId, NodeId};

use crate::calls::{self, Ask, CATALOG, Told};
use crate::{Error, reply};

/// Pause before a leader is looked for again.
const PAUSE: Duration = Duration::from_millis(50);

/// Gives commands to the catalog's group, wherever it is led.
#[derive(Clone)]
pub(crate) struct Proposer {
    pub(crate) env: Env,
    pub(crate) group: RaftGroup,
    pub(crate) transport: Transport,
    pub(crate) catalog: watch::Receiver<Arc<CatalogState>>,
    pub(crate) deadline: Duration,
}

impl Proposer {
    /// Completes when the command is committed, and what it did is visible in this node's `catalog`. Tried again as long as nothing
    /// surely has been proposed; a leader is waited for until the deadline.
    pub(crate) async fn propose(&self, command: &CatalogCommand) -> Result<CatalogReply, Error> {
        let payload = Bytes::from(command.encode());
        // Why nothing has been proposed yet; `None` while that is open.
        let mut refused = None;
        tokio::select! {
            biased;
            reply = self.carry_out(payload, &mut refused) => return reply,
            () = self.env.clock.sleep(self.deadline) => {}
        }
        Err(refused.unwrap_or_else(|| Error::Unknown(format!("no answer within {:?}", self.deadline))))
    }

    async fn carry_out(&self, payload: Bytes, refused: &mut Option<Error>) -> Result<CatalogReply, Error> {
        let answer = loop {
            match self.propose_once(payload.clone()).await {
                Ok(answer) => break answer,
                Err(error @ Error::NotLeader { .. }) => *refused = Some(error),
                Err(error) => return Err(error),
            }
            self.env.clock.sleep(PAUSE).await;
            *refused = None;
        };
        let (index, reply) = reply::decode(&answer).map_err(Error::Reply)?;
        // Answers go out as entries are applied, states are published by the batch, and on other nodes later: whoever creates a stream
        // and then asks for it must find it.
        let mut catalog = self.catalog.clone();
        let seen = catalog.wait_for(|state| state.applied_index() >= index).await;
        seen.map(|_| reply).map_err(|_| Error::Stopped("the state machine is gone".into()))
    }

    /// Asks this node's replica, then the leader it knows.
    pub(crate) async fn propose_once(&self, payload: Bytes) -> Result<Bytes, Error> {
        let leader = match self.propose_here(payload.clone()).await {
            Err(Error::NotLeader { leader: Some(leader) }) if leader != self.group.replica().node() => leader,
            outcome => return outcome,
        };
        match self.ask(leader, &Ask::Propose { command: payload.to_vec(), relay: false }).await {
            Ok(Told::Proposed(answer)) => Ok(answer.into()),
            Ok(Told::NotLeader(leader)) => Err(Error::NotLeader { leader }),
            Ok(Told::Unknown(reason)) => Err(Error::Unknown(reason)),
            Ok(told) => Err(Error::Unknown(format!("the leader answers {told:?}"))),
            Err(CallError::Unknown(reason)) => Err(Error::Unknown(reason.to_string())),
            Err(CallError::NotSent(_) | CallError::Refused(_)) => Err(Error::NotLeader { leader: None }),
        }
    }

    pub(crate) async fn propose_here(&self, payload: Bytes) -> Result<Bytes, Error> {
        self.group.propose(payload).await.map_err(|error| match error {
            ProposeError::NotLeader { leader } => Error::NotLeader { leader },
            ProposeError::Unknown(reason) => Error::Unknown(reason),
        })
    }

    /// Asks another node.
    pub(crate) async fn ask(&self, node: NodeId, ask: &Ask) -> Result<Told, CallError> {
        self.ask_within(node, ask, self.deadline).await
    }

    /// The same within another deadline.
    pub(crate) async fn ask_within(&self, node: NodeId, ask: &Ask, deadline: Duration) -> Result<Told, CallError> {
        let reply = self.transport.call(node, Lane::Control, request(ask), deadline).await?;
        Ok(calls::decode(&reply.head).unwrap_or(Told::Nonsense))
    }

    /// Asks whoever is at an address.
    pub(crate) async fn ask_at(&self, address: &str, ask: &Ask) -> Result<Told, CallError> {
        let (_, reply) = self.transport.call_at(address, request(ask), self.deadline).await?;
        Ok(calls::decode(&reply.head).unwrap_or(Told::Nonsense))
    }
}

fn request(ask: &Ask) -> Request {
    Request { service: CATALOG, group: GroupId::CATALOG, head: calls::encode(ask), body: Vec::new() }
}
