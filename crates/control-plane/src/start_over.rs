//! A node that has lost what it stored of the catalog, or cannot say what of its groups is missing, starts over: with the consent of the
//! cluster it forgets everything and is given all its replicas anew, by numbers of the next generation.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use catalog_state::{CatalogCommand, CatalogError, CatalogReply};
use env::Env;
use transport::{Request, Transport};
use types::{GroupId, ReplicaId};

use crate::calls::{self, Ask, CATALOG, Told};
use crate::generation::{Generation, Stage};
use crate::{Error, Local, Origin, peers, reply};

/// Pause between two attempts to be let go.
const PAUSE: Duration = Duration::from_millis(500);
/// How long one node that is asked may take.
const CALL_DEADLINE: Duration = Duration::from_secs(5);
/// How long the cluster may take to agree: beyond an election and a start of its nodes. Then whoever supervises this process hears of it.
const AGREE_WITHIN: Duration = Duration::from_secs(30);

/// Has the cluster agree that all replicas of this node are lost, and sets aside what is stored of them: the next start finds an empty
/// directory of the same node. Nothing is touched before a majority of the catalog's voters has agreed, which it does only where each shard
/// has a majority of replicas without this node.
///
/// # Errors
/// [`Error::Alone`] where no other node is known, [`Error::NotLetGo`] after half a minute without consent, [`Error::Join`] if this node is
/// refused for good, and [`Error::Directory`].
pub async fn start_over(env: &Env, transport: &Transport, local: &Local) -> Result<(), Error> {
    let before = match Generation::load(&env.disk).await {
        // The cluster tells what was in it.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Generation::default(),
        loaded => loaded.map_err(Error::Directory)?,
    };
    let others = others(env, local).await;
    if others.is_empty() {
        return Err(Error::Alone);
    }
    let mut asking = Asking { env, transport, local, generation: before.number, reason: "nobody has answered".into() };
    let agreed = {
        let agreed = asking.agree(&others);
        tokio::select! {
            biased;
            agreed = agreed => Some(agreed?),
            () = env.clock.sleep(AGREE_WITHIN) => None,
        }
    };
    let Some(number) = agreed else { return Err(Error::NotLetGo(asking.reason)) };
    Generation { number, stage: Stage::Clearing }.store(&env.disk).await.map_err(Error::Directory)?;
    finish_start_over(env).await
}

/// Ends what a crash has interrupted. To be called before the journal is opened.
///
/// # Errors
/// [`Error::Directory`] and [`Error::Journal`].
pub async fn finish_start_over(env: &Env) -> Result<(), Error> {
    let generation = match Generation::load(&env.disk).await {
        Ok(generation) if generation.stage == Stage::Clearing => generation,
        Ok(_) => return Ok(()),
        // Whoever opens the catalog finds that it is lost.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(()),
        Err(error) => return Err(Error::Directory(error)),
    };
    let folder = format!("lost-{}", generation.number);
    journal::set_aside(&env.disk, &folder).await?;
    Generation { stage: Stage::Empty, ..generation }.store(&env.disk).await.map_err(Error::Directory)?;
    tracing::warn!(
        folder,
        "this node starts over with an empty directory: what was stored is kept in the folder, which may go once the cluster is well"
    );
    Ok(())
}

/// Where other nodes may be found: as remembered, and as configured.
async fn others(env: &Env, local: &Local) -> BTreeSet<String> {
    let known = peers::remembered(&env.disk).await.into_iter().filter(|(node, _)| *node != local.node);
    let mut others: BTreeSet<String> = known.map(|(_, address)| address).collect();
    if let Origin::Join(seeds) = &local.origin {
        others.extend(seeds.iter().cloned());
    }
    others.remove(&local.peer_addr);
    others
}

/// A node that asks to start over.
struct Asking<'a> {
    env: &'a Env,
    transport: &'a Transport,
    local: &'a Local,
    /// The newest generation that this node is known to have taken.
    generation: u32,
    /// Why it may not yet.
    reason: String,
}

impl Asking<'_> {
    /// Asks one after another until the cluster has agreed. Returns the generation that it has agreed to.
    ///
    /// One that the cluster knows already is not taken: this node may have been given it, and replicas with it, in a life that it has forgotten.
    async fn agree(&mut self, others: &BTreeSet<String>) -> Result<u32, Error> {
        loop {
            for other in others {
                let node = self.local.node;
                let next = ReplicaId::new(node, self.generation).next().map(ReplicaId::generation);
                let next = next.ok_or_else(|| Error::Directory(io::Error::other("no generation is left")))?;
                match self.ask(other, next).await {
                    Ok(CatalogReply::Joined { id }) if id == node => return Ok(next),
                    Ok(CatalogReply::Joined { id: owner }) => return Err(Error::OtherNode { node, owner }),
                    Ok(CatalogReply::Refused(CatalogError::OldData { id, catalog }))
                        if id == node && catalog > self.generation =>
                    {
                        self.generation = catalog;
                    }
                    // Passes: another node is still being given what it has lost, or the cluster has only begun.
                    Ok(CatalogReply::Refused(
                        reason @ (CatalogError::StillNeeded { .. } | CatalogError::NotInitialised),
                    )) => {
                        self.reason = reason.to_string();
                    }
                    Ok(CatalogReply::Refused(reason)) => return Err(Error::Join { node, reason }),
                    Ok(reply) => self.reason = format!("{other} answers {reply:?}"),
                    Err(error) => self.reason = format!("{other}: {error}"),
                }
            }
            tracing::warn!(reason = self.reason, "this node can start over once a majority of the cluster agrees");
            self.env.clock.sleep(PAUSE).await;
        }
    }

    async fn ask(&self, address: &str, catalog: u32) -> Result<CatalogReply, String> {
        let Local { node, incarnation, api_addr, peer_addr, zone, .. } = self.local.clone();
        let (preferred, starts_over) = (Some(node), true);
        let command =
            CatalogCommand::JoinNode { incarnation, preferred, api_addr, peer_addr, zone, catalog, starts_over };
        let ask = Ask::Propose { command: command.encode(), relay: true };
        let request =
            Request { service: CATALOG, group: GroupId::CATALOG, head: calls::encode(&ask), body: Vec::new() };
        let answer = self.transport.call_at(address, request, CALL_DEADLINE).await;
        match calls::decode(&answer.map_err(|error| error.to_string())?.1.head) {
            Some(Told::Proposed(answer)) => reply::decode(&answer).map(|(_, reply)| reply),
            Some(Told::NotLeader(_)) => Err("nobody is known to lead the catalog".into()),
            told => Err(format!("it answers {told:?}")),
        }
    }
}
