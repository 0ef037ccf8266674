use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog_state::{CatalogCommand, CatalogReply, CatalogState};
use env::Env;
use raft_group::{ProposeError, RaftGroup};
use tokio::sync::watch;

use crate::{Error, reply};

/// Gives commands to the catalog's group.
#[derive(Clone)]
pub(crate) struct Proposer {
    pub(crate) env: Env,
    pub(crate) group: RaftGroup,
    pub(crate) catalog: watch::Receiver<Arc<CatalogState>>,
    pub(crate) deadline: Duration,
}

impl Proposer {
    /// Completes when the command is committed, applied, and visible in `catalog`.
    pub(crate) async fn propose(&self, command: &CatalogCommand) -> Result<CatalogReply, Error> {
        let payload = Bytes::from(command.encode());
        tokio::select! {
            biased;
            reply = self.carry_out(payload) => reply,
            () = self.env.clock.sleep(self.deadline) => {
                Err(Error::Unknown(format!("no answer within {:?}", self.deadline)))
            }
        }
    }

    async fn carry_out(&self, payload: Bytes) -> Result<CatalogReply, Error> {
        let answer = self.group.propose(payload).await.map_err(error_of)?;
        let (index, reply) = reply::decode(&answer).map_err(Error::Reply)?;
        // Answers go out as entries are applied, states are published by the batch: whoever creates a stream and then asks for
        // it must find it.
        let mut catalog = self.catalog.clone();
        let seen = catalog.wait_for(|state| state.applied_index() >= index).await;
        seen.map(|_| reply).map_err(|_| Error::Stopped("the state machine is gone".into()))
    }
}

fn error_of(error: ProposeError) -> Error {
    match error {
        ProposeError::NotLeader { leader } => Error::NotLeader { leader },
        ProposeError::Unknown(reason) => Error::Unknown(reason),
    }
}
