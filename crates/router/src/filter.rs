//! Which shards ListShards gives: pure.
//!
//! A shard is taken as open from the moment its parents closed to the moment it closed itself, so that the shards open at any
//! instant cover the key space exactly once: consumers that start from AT_TRIM_HORIZON or AT_TIMESTAMP fail otherwise.

use catalog_state::{Shard, Stream};
use types::{ShardId, TimestampMs};

use crate::{NotFound, RouterError};

const MS_PER_HOUR: u64 = 3_600_000;

/// The filters of ListShards, as Kinesis names them; times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardFilter<'a> {
    /// Those with a greater id, open or closed.
    AfterShardId(&'a str),
    /// Those that were open at the trim horizon.
    AtTrimHorizon,
    /// Those that have been open at any time since the trim horizon.
    FromTrimHorizon,
    /// Those that are open.
    AtLatest,
    /// Those that were open at a time. One before the trim horizon is taken as the trim horizon, as Kinesis does for
    /// FROM_TIMESTAMP: otherwise it would give no shard at all for a time before the stream's creation.
    AtTimestamp(i64),
    /// Those that have been open at a time or since; one before the trim horizon is taken as the trim horizon.
    FromTimestamp(i64),
}

/// A filter whose times are fixed, so that all pages of one listing are of the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    All,
    After(ShardId),
    Open,
    OpenAt(TimestampMs),
    OpenSince(TimestampMs),
}

/// The time from which on records are retained: the creation of the stream, as long as it is younger than its retention.
fn trim_horizon(stream: &Stream, now: TimestampMs) -> TimestampMs {
    let oldest = now.0.saturating_sub(u64::from(stream.retention_hours) * MS_PER_HOUR);
    stream.created.max(TimestampMs(oldest))
}

impl Selection {
    pub(crate) fn new(
        filter: Option<ShardFilter<'_>>,
        stream: &Stream,
        now: TimestampMs,
    ) -> Result<Selection, RouterError> {
        let horizon = trim_horizon(stream, now);
        let since = |ms: i64| horizon.max(TimestampMs(u64::try_from(ms).unwrap_or(0)));
        let selection = match filter {
            None => Selection::All,
            Some(ShardFilter::AfterShardId(id)) => Selection::After(shard_id(id, stream.name().as_str())?),
            Some(ShardFilter::AtTrimHorizon) => Selection::OpenAt(horizon),
            Some(ShardFilter::FromTrimHorizon) => Selection::OpenSince(horizon),
            Some(ShardFilter::AtLatest) => Selection::Open,
            Some(ShardFilter::AtTimestamp(ms)) => Selection::OpenAt(since(ms)),
            Some(ShardFilter::FromTimestamp(ms)) => Selection::OpenSince(since(ms)),
        };
        Ok(selection)
    }

    pub(crate) fn has(self, stream: &Stream, shard: &Shard) -> bool {
        match self {
            Selection::All => true,
            Selection::After(id) => shard.id > id,
            Selection::Open => shard.is_open(),
            Selection::OpenAt(at) => opened(stream, shard).is_some_and(|opened| opened <= at) && !closed_by(shard, at),
            Selection::OpenSince(at) => !closed_by(shard, at),
        }
    }
}

/// Reads a shard id of a request.
pub(crate) fn shard_id(text: &str, stream: &str) -> Result<ShardId, RouterError> {
    text.parse().map_err(|_| NotFound::ShardId { stream: stream.to_owned(), shard: text.to_owned() }.into())
}

/// When a shard began to take records: when its parents stopped; `None` as long as one of them has not. A shard whose parents
/// are unknown, because there were none or they are past their retention, has been open since before anyone can ask.
fn opened(stream: &Stream, shard: &Shard) -> Option<TimestampMs> {
    let parents = [shard.parent, shard.adjacent_parent].into_iter().flatten();
    let known = parents.filter_map(|parent| stream.shards.get(&parent));
    known
        .map(|parent| parent.closed.map(|closed| closed.at))
        .try_fold(TimestampMs(0), |latest, at| Some(latest.max(at?)))
}

fn closed_by(shard: &Shard, at: TimestampMs) -> bool {
    shard.closed.is_some_and(|closed| closed.at <= at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tests::{split, stream};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use types::HashKeyRange;

    const HOUR: u64 = 3_600_000;

    fn list(stream: &Stream, filter: ShardFilter<'_>, now: u64) -> Vec<u32> {
        let selection = Selection::new(Some(filter), stream, TimestampMs(now)).unwrap();
        stream.shards.values().filter(|shard| selection.has(stream, shard)).map(|shard| shard.id.0).collect()
    }

    /// Shards 0 and 1; 0 split at hour 10 into 2 and 3, 2 at hour 20 into 4 and 5. Retention 24 hours.
    fn history() -> Stream {
        let mut stream = stream(2);
        split(&mut stream, ShardId(0), 10 * HOUR);
        split(&mut stream, ShardId(2), 20 * HOUR);
        stream
    }

    #[test]
    fn trim_horizon_is_the_creation_until_the_retention_has_passed_once() {
        let stream = history();
        assert_eq!(list(&stream, ShardFilter::AtTrimHorizon, 21 * HOUR), [0, 1]);
        assert_eq!(list(&stream, ShardFilter::FromTrimHorizon, 21 * HOUR), [0, 1, 2, 3, 4, 5]);
        assert_eq!(list(&stream, ShardFilter::AtTrimHorizon, 34 * HOUR - 1), [0, 1]);
        assert_eq!(list(&stream, ShardFilter::AtTrimHorizon, 34 * HOUR), [1, 2, 3]);
        assert_eq!(list(&stream, ShardFilter::FromTrimHorizon, 34 * HOUR), [1, 2, 3, 4, 5]);
        assert_eq!(list(&stream, ShardFilter::AtTrimHorizon, 90 * HOUR), [1, 3, 4, 5]);
    }

    #[test]
    fn at_latest_gives_open_shards_and_after_shard_id_all_greater_ones() {
        let stream = history();
        assert_eq!(list(&stream, ShardFilter::AtLatest, 21 * HOUR), [1, 3, 4, 5]);
        assert_eq!(list(&stream, ShardFilter::AfterShardId("shardId-000000000002"), 21 * HOUR), [3, 4, 5]);
        assert!(list(&stream, ShardFilter::AfterShardId("shardId-000000000009"), 21 * HOUR).is_empty());
        let bad = Selection::new(Some(ShardFilter::AfterShardId("2")), &stream, TimestampMs(0));
        assert_eq!(bad, Err(NotFound::ShardId { stream: "flights".into(), shard: "2".into() }.into()));
    }

    #[test]
    fn a_time_gives_what_was_open_then_and_from_it_also_what_came_later() {
        let stream = history();
        let at = |hours: i64| list(&stream, ShardFilter::AtTimestamp(hours * HOUR as i64), 21 * HOUR);
        assert_eq!((at(9), at(10), at(19), at(20)), (vec![0, 1], vec![1, 2, 3], vec![1, 2, 3], vec![1, 3, 4, 5]));
        assert_eq!(at(-5), [0, 1]);
        let from = |hours: i64| list(&stream, ShardFilter::FromTimestamp(hours * HOUR as i64), 21 * HOUR);
        assert_eq!((from(9), from(15), from(25)), (vec![0, 1, 2, 3, 4, 5], vec![1, 2, 3, 4, 5], vec![1, 3, 4, 5]));
    }

    proptest! {
        #[test]
        fn the_shards_open_at_any_instant_cover_the_key_space_once(
            shards in 1u32..5,
            splits in vec((0u32..16, 0u64..5), 0..10),
            at in -10i64..60,
            now in 0u64..80,
        ) {
            let mut stream = stream(shards);
            let mut hour = 1;
            for (id, pause) in splits {
                hour += pause;
                split(&mut stream, ShardId(id), hour * HOUR);
            }
            for filter in [
                ShardFilter::AtTimestamp(at * HOUR as i64), ShardFilter::AtTrimHorizon, ShardFilter::AtLatest,
            ] {
                let listed = list(&stream, filter, now * HOUR);
                let mut ranges: Vec<_> = listed.iter().map(|id| stream.shards[&ShardId(*id)].range).collect();
                ranges.sort();
                prop_assert!(HashKeyRange::tile(ranges), "{filter:?}: {listed:?}");
            }
        }

        #[test]
        fn what_was_open_at_a_time_is_part_of_what_has_been_open_since(
            splits in vec((0u32..16, 0u64..5), 0..10),
            at in 0i64..60,
        ) {
            let mut stream = stream(2);
            let mut hour = 1;
            for (id, pause) in splits {
                hour += pause;
                split(&mut stream, ShardId(id), hour * HOUR);
            }
            let since = list(&stream, ShardFilter::FromTimestamp(at * HOUR as i64), 60 * HOUR);
            let then = list(&stream, ShardFilter::AtTimestamp(at * HOUR as i64), 60 * HOUR);
            prop_assert!(then.iter().all(|id| since.contains(id)));
            let open = list(&stream, ShardFilter::AtLatest, 60 * HOUR);
            prop_assert!(open.iter().all(|id| since.contains(id)));
        }
    }
}
