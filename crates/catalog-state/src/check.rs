use std::collections::BTreeSet;

use types::limits::{RETENTION_HOURS_MAX, RETENTION_HOURS_MIN};
use types::{GroupId, HashKeyRange};

use crate::{CatalogState, Stream};

impl CatalogState {
    /// Checks what must hold after every command: names and ids agree and are unique, every group has one shard, and
    /// the open shards of each stream cover the key space exactly once.
    ///
    /// # Errors
    /// What doesn't hold, in words.
    pub fn check(&self) -> Result<(), String> {
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
            }
            stream.check().map_err(|what| format!("stream {name}: {what}"))?;
        }
        Ok(())
    }
}

impl Stream {
    fn check(&self) -> Result<(), String> {
        for (id, shard) in &self.shards {
            if *id != shard.id || id.0 >= self.next_shard {
                return Err(format!("{} is filed as {id} before {}", shard.id, self.next_shard));
            }
            if shard.replicas.is_empty() {
                return Err(format!("{id} has no replica"));
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
        Ok(())
    }
}
