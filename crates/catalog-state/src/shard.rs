use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use serde::{Deserialize, Serialize};
use types::{GroupId, HashKeyRange, NodeId, ReplicaId, SequenceNumber, ShardId, TimestampMs};

/// One shard of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its index in the stream.
    pub id: ShardId,
    /// The Raft group of its replicas.
    pub group: GroupId,
    /// The hash keys that fall to it.
    pub range: HashKeyRange,
    /// When it was made; its seconds are in the sequence numbers.
    pub created: TimestampMs,
    /// The shard that was split, or one of two that were merged.
    pub parent: Option<ShardId>,
    /// The other one of two that were merged.
    pub adjacent_parent: Option<ShardId>,
    /// Set when it takes no more records.
    pub closed: Option<ClosedShard>,
    /// Its voters, each on another node; the first is the preferred leader.
    pub replicas: Vec<ReplicaId>,
    /// What its voters are to become, while a change of members is under way. Until it is done the replicas above decide.
    pub target: Option<Vec<ReplicaId>>,
    /// The lowest generation not used yet, for nodes where that doesn't follow from the replicas above: a replica was there and has
    /// gone. Mostly empty; one entry for each member of the cluster at most.
    pub generations: BTreeMap<NodeId, u32>,
    /// Those of its replicas, of today or to be, whose node has lost their data: they neither vote nor serve any more, and are to be
    /// replaced by others.
    pub lost: BTreeSet<ReplicaId>,
}

impl Shard {
    /// Whether it takes records.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The replica that a node must host: the one that is to be, where a change is under way, else the one that is. After
    /// [`Shard::replicas`] has lost a node to a change, its data there may go.
    #[must_use]
    pub fn hosted_on(&self, node: NodeId) -> Option<ReplicaId> {
        let target = self.target.iter().flatten();
        target.chain(&self.replicas).find(|replica| replica.node() == node).copied()
    }

    /// All replicas that nodes must host, in the order of their numbers.
    #[must_use]
    pub fn hosted(&self) -> Vec<ReplicaId> {
        let all = self.replicas.iter().chain(self.target.iter().flatten());
        // The newer one of a node comes later, since generations only rise.
        all.map(|replica| (replica.node(), *replica)).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// The replica that a node holds as a voter today.
    #[must_use]
    pub fn voter_on(&self, node: NodeId) -> Option<ReplicaId> {
        self.replicas.iter().find(|replica| replica.node() == node).copied()
    }

    /// The replica that a node would get next: of a generation that none of this shard there has had. `None` when the numbers
    /// have run out.
    ///
    /// # Panics
    /// When the node is above [`ReplicaId::NODE_MAX`], which no member of a cluster is.
    #[must_use]
    pub fn next_replica(&self, node: NodeId) -> Option<ReplicaId> {
        let gone = ReplicaId::new(node, self.generations.get(&node).copied().unwrap_or(0));
        let known = self.replicas.iter().chain(self.target.iter().flatten());
        let next = known
            .filter(|replica| replica.node() == node)
            .try_fold(gone, |next, replica| Some(next.max(replica.next()?)));
        // The last generation is never given out, so that there is one above each that was.
        next.filter(|next| next.generation() < ReplicaId::GENERATION_MAX)
    }

    /// Ends the change under way with these replicas, and remembers the numbers of those that are gone.
    pub(crate) fn end_change(&mut self, replicas: Vec<ReplicaId>) {
        let before = mem::replace(&mut self.replicas, replicas);
        for gone in before.into_iter().chain(self.target.take().into_iter().flatten()) {
            let next = gone.next().map_or(ReplicaId::GENERATION_MAX, ReplicaId::generation);
            let known = self.generations.entry(gone.node()).or_default();
            *known = next.max(*known);
        }
        for replica in &self.replicas {
            if self.generations.get(&replica.node()).is_some_and(|next| *next <= replica.generation() + 1) {
                self.generations.remove(&replica.node());
            }
        }
        self.lost.retain(|lost| self.replicas.contains(lost));
    }

    /// Whether without its replica on a node those that are sound, as far as is known, would be no majority, of today's or of those that are
    /// to be. One that is being replaced on its own node is not sound.
    pub(crate) fn needs(&self, node: NodeId) -> bool {
        let replaced = |replica: &ReplicaId| {
            let successors = self.target.iter().flatten();
            successors.into_iter().any(|new| new.node() == replica.node() && new != replica)
        };
        let sound = |replica: &&ReplicaId| replica.node() != node && !self.lost.contains(replica) && !replaced(replica);
        let lists = [Some(&self.replicas), self.target.as_ref()].into_iter().flatten();
        let needs = |list: &Vec<ReplicaId>| list.iter().filter(sound).count() * 2 <= list.len();
        self.hosted_on(node).is_some() && lists.into_iter().any(needs)
    }

    /// A node has lost the data of all its replicas.
    pub(crate) fn lose_replicas_on(&mut self, node: NodeId) {
        let known = self.replicas.iter().chain(self.target.iter().flatten());
        self.lost.extend(known.filter(|replica| replica.node() == node));
    }

    /// The sequence number at which it begins, below each of its records.
    #[must_use]
    pub fn starting_sequence_number(&self) -> SequenceNumber {
        SequenceNumber::starting(self.created.seconds(), self.id)
    }
}

/// The end of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedShard {
    /// When it was closed.
    pub at: TimestampMs,
    /// Its ending sequence number, above each of its records.
    pub ending: SequenceNumber,
}
