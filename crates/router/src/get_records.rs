//! GetRecords

use catalog_state::StreamStatus::{Active, Updating};
use catalog_state::{CatalogState, Stream};
use data_plane::{ReadBatch, ReadError, ReadRecord};
use shard_state::ShardIdentity;
use types::limits::{GET_RECORDS_BYTES_MAX, GET_RECORDS_COUNT_MAX};
use types::{HashKeyRange, SequenceNumber, ShardId};

use crate::lookup::parse_name;
use crate::route::Route;
use crate::router::Inner;
use crate::token::IteratorToken;
use crate::{InvalidArgument, NotFound, Router, RouterError, StreamRef};

/// What one read gives.
pub struct GetRecords {
    /// Where to go on; `None` if and only if `children` is not empty.
    pub next: Option<String>,
    /// The shards that follow a closed one that has been read to its end.
    pub children: Vec<ChildShard>,
    /// Kept whole: it counts towards the memory that reads of this node may hold, until it is dropped.
    batch: ReadBatch,
    identity: ShardIdentity,
}

/// A shard that follows a closed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildShard {
    /// Its id.
    pub shard: ShardId,
    /// The shard it was split from, or the two it was merged from.
    pub parents: Vec<ShardId>,
    /// Its part of the key space.
    pub range: HashKeyRange,
}

impl GetRecords {
    /// The records, in order; slices of what is stored.
    #[must_use]
    pub fn records(&self) -> &[ReadRecord] {
        &self.batch.records
    }

    /// Milliseconds by which the last record read lies behind now; 0 at the tip.
    #[must_use]
    pub fn millis_behind(&self) -> u64 {
        self.batch.millis_behind
    }

    /// The sequence number of one of the records.
    #[must_use]
    pub fn sequence_number(&self, record: &ReadRecord) -> SequenceNumber {
        self.identity.sequence_number(record.number, record.arrival)
    }
}

impl Router {
    /// Reads from an iterator: at most `limit` records (all that fit if `None`) and 10 MiB, at least one if there is one. An iterator
    /// whose place has been trimmed goes on at the trim horizon. `stream` may be empty; if not, it must be the iterator's.
    ///
    /// # Errors
    /// For an iterator that is forged or expired or whose stream is gone, and when the shard's read limit is reached.
    pub async fn get_records(
        &self,
        iterator: &str,
        limit: Option<u32>,
        stream: StreamRef<'_>,
    ) -> Result<GetRecords, RouterError> {
        let inner = &self.inner;
        let token = IteratorToken::open(&inner.iterators, iterator, inner.now())?;
        let route = inner.route_of_id(token.stream).ok_or(NotFound::StreamOfToken)?;
        inner.check_same(&route, &stream)?;
        let shard = route.shard(token.shard).ok_or(NotFound::StreamOfToken)?;
        let limit = limit.unwrap_or(GET_RECORDS_COUNT_MAX).clamp(1, GET_RECORDS_COUNT_MAX);
        let read = inner.shards.read(&shard, token.next, limit, GET_RECORDS_BYTES_MAX).await;
        let batch = read.map_err(|error| inner.read_error(error, route.name.as_str().to_owned(), token.shard))?;
        // Consumers take a missing iterator without children for damage: as long as the catalog has yet to learn of them, the
        // end of a closed shard reads like its tip.
        let children = if batch.ended { children(&inner.control.catalog(), &route, token.shard) } else { Vec::new() };
        let next = children.is_empty().then(|| inner.iterator(route.id, &shard, batch.next));
        Ok(GetRecords { next, children, batch, identity: shard.identity })
    }
}

impl Inner {
    fn check_same(&self, route: &Route, stream: &StreamRef<'_>) -> Result<(), RouterError> {
        if stream.is_empty() || self.route(stream)?.id == route.id {
            return Ok(());
        }
        let named = [stream.arn, stream.id, stream.name].into_iter().flatten().next().unwrap_or_default();
        let differ = InvalidArgument::StreamNamesDiffer { name: route.name.as_str().into(), arn: named.into() };
        Err(differ.into())
    }

    /// Why a shard of a known stream can't be read.
    pub(crate) fn read_error(&self, error: ReadError, stream: String, shard: ShardId) -> RouterError {
        match error {
            ReadError::Throttled => RouterError::ReadThrottled { stream, shard },
            // The group is not open: the stream is being created or deleted, or the node has just started.
            ReadError::UnknownShard if self.is_settled(&stream) => RouterError::Unavailable(error.to_string()),
            ReadError::UnknownShard => NotFound::Shard { stream, shard }.into(),
            _ => {
                tracing::warn!(stream, %shard, %error, "a read failed");
                RouterError::Unavailable(error.to_string())
            }
        }
    }

    fn is_settled(&self, stream: &str) -> bool {
        let catalog = self.control.catalog();
        let name = parse_name(stream).ok();
        let known = name.and_then(|name| catalog.stream(&name).map(|stream| stream.status));
        matches!(known, Some(Active | Updating))
    }
}

fn children(catalog: &CatalogState, route: &Route, shard: ShardId) -> Vec<ChildShard> {
    catalog
        .stream(&route.name)
        .filter(|stream| stream.id == route.id)
        .map(|stream| children_of(stream, shard))
        .unwrap_or_default()
}

fn children_of(stream: &Stream, shard: ShardId) -> Vec<ChildShard> {
    let child = |child: &catalog_state::Shard| ChildShard {
        shard: child.id,
        parents: [child.parent, child.adjacent_parent].into_iter().flatten().collect(),
        range: child.range,
    };
    stream.children_of(shard).map(child).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tests::{split, stream};

    #[test]
    fn a_split_shards_children_come_with_their_parent_and_range() {
        let mut stream = stream(2);
        split(&mut stream, ShardId(0), 9_000);
        let children = children_of(&stream, ShardId(0));
        let ids: Vec<u32> = children.iter().map(|child| child.shard.0).collect();
        assert_eq!(ids, [2, 3]);
        assert!(children.iter().all(|child| child.parents == [ShardId(0)]));
        assert_eq!(children[0].range, stream.shards[&ShardId(2)].range);
        assert!(children_of(&stream, ShardId(1)).is_empty());
    }

    #[test]
    fn a_merged_shard_names_both_parents() {
        let mut stream = stream(3);
        if let Some(shard) = stream.shards.get_mut(&ShardId(2)) {
            (shard.parent, shard.adjacent_parent) = (Some(ShardId(0)), Some(ShardId(1)));
        }
        for parent in [0, 1] {
            let children = children_of(&stream, ShardId(parent));
            assert_eq!(children[0].parents, [ShardId(0), ShardId(1)]);
        }
    }
}
