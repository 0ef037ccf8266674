//! Who holds a shard's replicas, and which of them leads.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use raft_group::{ChangeError, TransferError};
use types::{GroupId, NodeId, ReplicaId};

use crate::DataPlane;

/// Shards that are handed over at once: each costs three nodes a vote on disk, and its puts wait for it.
const HANDED_OVER_AT_ONCE: usize = 32;

impl DataPlane {
    /// The voters of a shard that is open here, if nothing about them is under way.
    #[must_use]
    pub fn voters(&self, group: GroupId) -> Option<BTreeSet<ReplicaId>> {
        let members = self.shard(group)?.group.membership();
        members.settled.then_some(members.voters)
    }

    /// Makes `voters` a shard's replicas, if all that vote now are `known`; only its leader can. See
    /// [`raft_group::RaftGroup::change_members`].
    ///
    /// # Errors
    /// [`ChangeError::NotLeader`] also where the shard is not open here, [`ChangeError::Busy`] also where others vote.
    pub async fn change_members(
        &self,
        group: GroupId,
        known: &BTreeSet<ReplicaId>,
        voters: &BTreeSet<ReplicaId>,
        deadline: Duration,
    ) -> Result<(), ChangeError> {
        let Some(shard) = self.shard(group) else { return Err(ChangeError::NotLeader { leader: None }) };
        let now = shard.group.membership().voters;
        if !now.is_subset(known) {
            return Err(ChangeError::Busy(format!("{now:?} vote, not only {known:?}")));
        }
        shard.group.change_members(voters, &BTreeSet::new(), deadline).await
    }

    /// Has the replica on another node lead a shard. Puts wait meanwhile, none fails. See [`raft_group::RaftGroup::transfer`].
    ///
    /// # Errors
    /// [`TransferError::NotLeader`] also where the shard is not open here.
    pub async fn transfer(&self, group: GroupId, to: NodeId, deadline: Duration) -> Result<(), TransferError> {
        match self.shard(group) {
            Some(shard) => shard.group.transfer(to, deadline).await,
            None => Err(TransferError::NotLeader),
        }
    }

    /// Has other nodes lead what this one does, before it stops: puts wait a moment, none fails. Returns how many shards it still leads
    /// since no other node took them over, each within `deadline`.
    pub async fn hand_over(&self, deadline: Duration) -> usize {
        let led: Vec<_> = self.led().into_iter().filter_map(|group| self.shard(group)).collect();
        let handed = led.into_iter().map(|shard| async move {
            match shard.group.hand_over(deadline).await {
                Ok(()) => 0,
                Err(error) => {
                    tracing::debug!(group = %shard.group_id, %error, "the shard is not handed over");
                    1
                }
            }
        });
        stream::iter(handed).buffer_unordered(HANDED_OVER_AT_ONCE).fold(0, |sum, left| async move { sum + left }).await
    }
}
