//! DescribeStream and DescribeStreamSummary

use std::collections::BTreeMap;
use std::ops::Bound;

use catalog_state::{Shard, Stream, StreamStatus};
use types::ShardId;
use types::limits::{DESCRIBE_STREAM_SHARDS_DEFAULT, PAGE_MAX};

use crate::filter::shard_id;
use crate::page::page;
use crate::{Router, RouterError, StreamRef, StreamView};

/// A stream with one page of its shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamDescription {
    /// The stream.
    pub stream: StreamView,
    /// Shards, open and closed, by id; none while the stream is being created.
    pub shards: Vec<Shard>,
    /// Whether a next page follows.
    pub has_more_shards: bool,
}

impl Router {
    /// A stream with the shards after `exclusive_start`, 100 of them if there is no limit.
    ///
    /// # Errors
    /// For an unknown stream, and a start that cannot be a shard's id.
    pub fn describe_stream(
        &self,
        stream: StreamRef<'_>,
        exclusive_start: Option<&str>,
        limit: Option<u32>,
    ) -> Result<StreamDescription, RouterError> {
        let catalog = self.inner.control.catalog();
        let found = stream.find(&catalog, &self.inner.options)?;
        let start = exclusive_start.map(|id| shard_id(id, found.name().as_str())).transpose()?;
        let limit = limit.unwrap_or(DESCRIBE_STREAM_SHARDS_DEFAULT).clamp(1, PAGE_MAX);
        let (shards, has_more_shards) = page(visible_after(found, start).cloned(), limit as usize);
        Ok(StreamDescription { stream: StreamView::of(found), shards, has_more_shards })
    }

    /// A stream without its shards.
    ///
    /// # Errors
    /// For an unknown stream.
    pub fn describe_stream_summary(&self, stream: StreamRef<'_>) -> Result<StreamView, RouterError> {
        let catalog = self.inner.control.catalog();
        stream.find(&catalog, &self.inner.options).map(StreamView::of)
    }
}

/// The shards after one, by id, that clients may see: none while the stream is being created.
pub(crate) fn visible_after(stream: &Stream, start: Option<ShardId>) -> impl Iterator<Item = &Shard> {
    static NONE: BTreeMap<ShardId, Shard> = BTreeMap::new();
    let shards = if stream.status == StreamStatus::Creating { &NONE } else { &stream.shards };
    let from = start.map_or(Bound::Unbounded, Bound::Excluded);
    shards.range((from, Bound::Unbounded)).map(|(_, shard)| shard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tests::stream;

    fn after(stream: &Stream, start: Option<u32>) -> Vec<u32> {
        visible_after(stream, start.map(ShardId)).map(|shard| shard.id.0).collect()
    }

    #[test]
    fn shards_begin_behind_the_start_even_if_it_is_no_shard() {
        let stream = stream(4);
        assert_eq!(after(&stream, None), [0, 1, 2, 3]);
        assert_eq!(after(&stream, Some(1)), [2, 3]);
        assert!(after(&stream, Some(9)).is_empty());
    }

    #[test]
    fn a_stream_that_is_being_created_shows_no_shards() {
        let mut stream = stream(4);
        stream.status = StreamStatus::Creating;
        assert!(after(&stream, None).is_empty());
        assert_eq!(StreamView::of(&stream).open_shards, 0);
    }
}
