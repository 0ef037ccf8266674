//! Which shard takes a hash key, and which group has a shard: one stream's table, pure.

use std::sync::Arc;

use catalog_state::{Stream, StreamStatus};
use shard_state::ShardIdentity;
use types::{GroupId, HashKey, NodeId, ShardId, StreamName};

/// One stream as requests need it, made once for each change of the catalog.
#[derive(Debug)]
pub(crate) struct Route {
    /// The stream's id: tells it from an earlier one of the same name.
    pub(crate) id: u64,
    pub(crate) name: StreamName,
    pub(crate) status: StreamStatus,
    pub(crate) max_record_bytes: usize,
    /// Index of the catalog's entry from which this was made.
    pub(crate) applied_index: u64,
    /// By the ends of their ranges, which cover the key space: see [`types::HashKeyRange::tile`].
    open: Vec<OpenShard>,
    /// By shard id, closed ones too.
    shards: Vec<RoutedShard>,
}

#[derive(Debug)]
struct OpenShard {
    end: HashKey,
    shard: RoutedShard,
}

/// One shard, with what its sequence numbers need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoutedShard {
    pub(crate) identity: ShardIdentity,
    pub(crate) group: GroupId,
    /// The nodes of its replicas, the preferred leader first.
    pub(crate) nodes: Arc<[NodeId]>,
}

impl Route {
    pub(crate) fn new(stream: &Stream, applied_index: u64) -> Route {
        let routed = |shard: &catalog_state::Shard| RoutedShard {
            identity: ShardIdentity { shard: shard.id, created_sec: shard.created.seconds() },
            group: shard.group,
            nodes: shard.replicas.iter().map(|replica| replica.node()).collect(),
        };
        let mut open: Vec<OpenShard> =
            stream.open_shards().map(|shard| OpenShard { end: shard.range.end, shard: routed(shard) }).collect();
        open.sort_unstable_by_key(|shard| shard.end);
        Route {
            id: stream.id,
            name: stream.name().clone(),
            status: stream.status,
            max_record_bytes: stream.max_record_kib as usize * 1_024,
            applied_index,
            open,
            shards: stream.shards.values().map(routed).collect(),
        }
    }

    /// The place in the table of the open shard to which a hash key falls. There is one, as long as the open shards cover the key
    /// space, which the catalog checks.
    pub(crate) fn slot_of(&self, key: HashKey) -> usize {
        self.open.partition_point(|shard| shard.end < key)
    }

    /// The open shard in a place of the table.
    pub(crate) fn open_shard(&self, slot: usize) -> Option<RoutedShard> {
        self.open.get(slot).map(|open| open.shard.clone())
    }

    /// A shard, open or closed.
    pub(crate) fn shard(&self, id: ShardId) -> Option<RoutedShard> {
        let at = self.shards.binary_search_by_key(&id, |shard| shard.identity.shard).ok()?;
        self.shards.get(at).cloned()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use catalog_state::{ClosedShard, Shard, StreamMode};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use types::{HashKeyRange, ReplicaId, SequenceNumber, StreamArn, TimestampMs};

    /// A stream that began with so many shards, all at second 1.
    pub(crate) fn stream(shard_count: u32) -> Stream {
        let name = StreamName::parse("flights").unwrap();
        let mut stream = Stream {
            id: 4,
            arn: StreamArn::new("us-east-1", "000000000000", name).unwrap(),
            created: TimestampMs(1_000),
            deleted: None,
            status: StreamStatus::Active,
            mode: StreamMode::Provisioned,
            retention_hours: 24,
            max_record_kib: 1_024,
            replication: 1,
            shards: BTreeMap::new(),
            next_shard: 0,
        };
        for range in HashKeyRange::even(shard_count) {
            add(&mut stream, range, 1_000, None);
        }
        stream
    }

    fn add(stream: &mut Stream, range: HashKeyRange, at_ms: u64, parent: Option<ShardId>) {
        let id = ShardId(stream.next_shard);
        stream.next_shard += 1;
        let created = TimestampMs(at_ms);
        let shard = Shard {
            id,
            group: GroupId(u64::from(id.0) + 10),
            range,
            created,
            parent,
            adjacent_parent: None,
            closed: None,
            replicas: vec![ReplicaId(1)],
            target: None,
            generations: BTreeMap::new(),
            lost: BTreeSet::new(),
        };
        stream.shards.insert(id, shard);
    }

    /// Splits an open shard in the middle; nothing happens if it is not open or too narrow.
    pub(crate) fn split(stream: &mut Stream, id: ShardId, at_ms: u64) {
        let Some(parent) = stream.shards.get_mut(&id).filter(|shard| shard.is_open()) else { return };
        let range = parent.range;
        let middle = range.start.0 + (range.end.0 - range.start.0) / 2;
        if middle == range.end.0 {
            return;
        }
        let ending = SequenceNumber::closing(parent.created.seconds(), at_ms / 1_000, id);
        parent.closed = Some(ClosedShard { at: TimestampMs(at_ms), ending });
        add(stream, HashKeyRange { start: range.start, end: HashKey(middle) }, at_ms, Some(id));
        add(stream, HashKeyRange { start: HashKey(middle + 1), end: range.end }, at_ms, Some(id));
    }

    proptest! {
        #[test]
        fn a_key_goes_to_the_one_open_shard_whose_range_has_it(
            shards in 1u32..9,
            splits in vec(0u32..20, 0..12),
            keys in vec(any::<u128>(), 1..20),
        ) {
            let mut stream = stream(shards);
            for (at, id) in (2u64..).zip(splits) {
                split(&mut stream, ShardId(id), at * 1_000);
            }
            let route = Route::new(&stream, 1);
            let edges = stream.shards.values().flat_map(|shard| [shard.range.start, shard.range.end]);
            for key in keys.into_iter().map(HashKey).chain(edges) {
                let expected = stream.open_shard_of(key).unwrap();
                let routed = route.open_shard(route.slot_of(key)).unwrap();
                prop_assert_eq!((routed.identity.shard, routed.group), (expected.id, expected.group));
            }
        }

        #[test]
        fn every_shard_is_found_by_its_id_and_no_other(shards in 1u32..9, splits in vec(0u32..20, 0..12)) {
            let mut stream = stream(shards);
            for (at, id) in (2u64..).zip(splits) {
                split(&mut stream, ShardId(id), at * 1_000);
            }
            let route = Route::new(&stream, 1);
            for id in (0..stream.next_shard + 3).map(ShardId) {
                let expected = stream.shards.get(&id).map(|shard| (shard.group, shard.created.seconds()));
                let routed = route.shard(id).map(|shard| (shard.group, shard.identity.created_sec));
                prop_assert_eq!(routed, expected);
            }
        }
    }
}
