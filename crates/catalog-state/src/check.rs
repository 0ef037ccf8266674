use std::collections::BTreeSet;

use types::limits::{RETENTION_HOURS_MAX, RETENTION_HOURS_MIN};
use types::{GroupId, HashKeyRange, ReplicaId};

use crate::{CatalogState, Shard, Stream};

impl CatalogState {
    /// Checks what must hold after every command: names and ids agree and are unique, no node's number or data directory
    /// is there twice, every group has one shard, every replica is on a member of the cluster and no two of a shard are on
    /// one, and the open shards of each stream cover the key space exactly once.
    ///
    /// # Errors
    /// What doesn't hold, in words.
    pub fn check(&self) -> Result<(), String> {
        self.check_nodes()?;
        let mut ids = BTreeSet::new();
        let mut groups = BTreeSet::new();
        for (name, stream) in &self.streams {
            if name != stream.name() {
                return Err(format!("stream {} is filed as {name}", stream.name()));
            }
            if stream.id >= self.next_stream || !ids.insert(stream.id) {
                return Err(format!("stream {name}: id {} is not unique", stream.id));
            }
            for shard in stream.shards.values() {
                let known = shard.group > GroupId::CATALOG && shard.group.0 < self.next_group;
                if !known || !groups.insert(shard.group) {
                    return Err(format!("stream {name} {}: group {} is not unique", shard.id, shard.group));
                }
                self.check_replicas(stream, shard).map_err(|what| format!("stream {name} {}: {what}", shard.id))?;
            }
            stream.check().map_err(|what| format!("stream {name}: {what}"))?;
        }
        Ok(())
    }

    fn check_nodes(&self) -> Result<(), String> {
        let members = self.nodes.iter().map(|(id, node)| (*id, node.incarnation));
        let removed = self.removed_nodes.iter().map(|(id, incarnation)| (*id, *incarnation));
        let (mut ids, mut incarnations) = (BTreeSet::new(), BTreeSet::new());
        for (id, incarnation) in members.chain(removed) {
            if id.0 == 0 || id.0 >= self.next_node || id > ReplicaId::NODE_MAX {
                return Err(format!("node {id} before {}", self.next_node));
            }
            if !ids.insert(id) || !incarnations.insert(incarnation) {
                return Err(format!("node {id} is not unique"));
            }
        }
        Ok(())
    }

    fn check_replicas(&self, stream: &Stream, shard: &Shard) -> Result<(), String> {
        for replicas in [Some(&shard.replicas), shard.target.as_ref()].into_iter().flatten() {
            let nodes: BTreeSet<_> = replicas.iter().map(|replica| replica.node()).collect();
            if nodes.len() != replicas.len() {
                return Err("two replicas on one node".into());
            }
            if replicas.is_empty() || replicas.len() > usize::from(stream.replication) {
                return Err(format!("{} replicas", replicas.len()));
            }
            if let Some(stranger) = nodes.iter().find(|node| !self.nodes.contains_key(node)) {
                return Err(format!("a replica on node {stranger}, which is no member"));
            }
        }
        if shard.target.as_ref() == Some(&shard.replicas) {
            return Err("a change that changes nothing".into());
        }
        let new = shard.target.iter().flatten().filter(|replica| !shard.replicas.contains(replica));
        for replica in new {
            let used = shard.voter_on(replica.node()).map_or(0, |voter| voter.generation().saturating_add(1));
            let gone = shard.generations.get(&replica.node()).copied().unwrap_or(0);
            if replica.generation() < used.max(gone) {
                return Err(format!("replica {replica} was there before"));
            }
        }
        let known =
            |lost: &ReplicaId| shard.replicas.iter().chain(shard.target.iter().flatten()).any(|known| known == lost);
        if let Some(gone) = shard.lost.iter().find(|lost| !known(lost)) {
            return Err(format!("replica {gone} is lost and is none of its replicas"));
        }
        match shard.generations.keys().find(|node| !self.nodes.contains_key(node)) {
            Some(stranger) => Err(format!("generations of node {stranger}, which is no member")),
            None => Ok(()),
        }
    }
}

impl Stream {
    fn check(&self) -> Result<(), String> {
        for (id, shard) in &self.shards {
            if *id != shard.id || id.0 >= self.next_shard {
                return Err(format!("{} is filed as {id} before {}", shard.id, self.next_shard));
            }
            let parents = [shard.parent, shard.adjacent_parent];
            if let Some(parent) = parents.into_iter().flatten().find(|parent| parent >= id) {
                return Err(format!("{id} is younger than its parent {parent}"));
            }
        }
        let mut ranges: Vec<HashKeyRange> = self.open_shards().map(|shard| shard.range).collect();
        ranges.sort();
        if !HashKeyRange::tile(ranges) {
            return Err("its open shards don't cover the key space exactly once".into());
        }
        if !(RETENTION_HOURS_MIN..=RETENTION_HOURS_MAX).contains(&self.retention_hours) {
            return Err(format!("retention of {} h", self.retention_hours));
        }
        if !(1..=Stream::REPLICATION_MAX).contains(&self.replication) {
            return Err(format!("replication of {}", self.replication));
        }
        Ok(())
    }
}
