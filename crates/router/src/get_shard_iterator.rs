//! GetShardIterator

use data_plane::Positions;
use types::RecordNumber;

use crate::filter::shard_id;
use crate::route::{Route, RoutedShard};
use crate::router::Inner;
use crate::start::{ShardFacts, Start, check, record_after, record_of};
use crate::token::IteratorToken;
use crate::{IteratorType, NotFound, Router, RouterError, StreamRef};

impl Router {
    /// A new iterator. LATEST and AT_TIMESTAMP are turned into a place here and now: records put later are behind it.
    ///
    /// # Errors
    /// For an unknown stream or shard, and for a combination of type, sequence number and time that AWS refuses.
    pub async fn shard_iterator(
        &self,
        stream: StreamRef<'_>,
        shard: &str,
        kind: IteratorType,
        sequence_number: Option<&str>,
        timestamp_ms: Option<i64>,
    ) -> Result<String, RouterError> {
        let start = check(kind, sequence_number, timestamp_ms, self.inner.now())?;
        let route = self.inner.route(&stream)?;
        let id = shard_id(shard, route.name.as_str())?;
        let missing = || NotFound::Shard { stream: route.name.as_str().to_owned(), shard: id };
        let shard = route.shard(id).ok_or_else(missing)?;
        let next = self.inner.place(&route, &shard, start).await?;
        Ok(self.inner.iterator(route.id, &shard, next))
    }
}

impl Inner {
    /// A new iterator at a record.
    pub(crate) fn iterator(&self, stream: u64, shard: &RoutedShard, next: RecordNumber) -> String {
        let token = IteratorToken { stream, shard: shard.identity.shard, next, issued: self.now() };
        token.seal(&self.iterators, self.env.random.u64())
    }

    async fn place(&self, route: &Route, shard: &RoutedShard, start: Start<'_>) -> Result<RecordNumber, RouterError> {
        let failed = |error| self.read_error(error, route.name.as_str().to_owned(), shard.identity.shard);
        if let Start::Time(at) = start {
            return self.shards.seek_arrival(shard, at).await.map_err(failed);
        }
        let positions = self.shards.position(shard).await.map_err(failed)?;
        let facts = facts(route, shard, &positions);
        match start {
            Start::TrimHorizon | Start::Time(_) => Ok(positions.trim_horizon),
            Start::Latest => Ok(positions.latest),
            Start::At { number } => record_of(IteratorType::AtSequenceNumber, number, &facts),
            Start::After { number } => record_after(number, &facts),
        }
    }
}

fn facts<'a>(route: &'a Route, shard: &RoutedShard, positions: &Positions) -> ShardFacts<'a> {
    ShardFacts {
        stream: route.name.as_str(),
        identity: shard.identity,
        latest: positions.latest,
        last_arrival: positions.last_arrival,
        closed: positions.closed,
    }
}
