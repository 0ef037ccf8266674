//! PutRecord and PutRecords

use std::sync::Arc;

use catalog_state::StreamStatus;
use data_plane::AppendError;
use shard_state::{Batch, ShardIdentity};
use types::{RecordNumber, SequenceNumber, ShardId};

use crate::lookup::not_found;
use crate::ordering::{Target, can_precede};
use crate::route::{Route, RoutedShard};
use crate::router::Inner;
use crate::shards::PartOutcome;
use crate::split::{Split, split};
use crate::{InvalidArgument, PutEntry, Router, RouterError, StreamRef};

/// A stored record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// The shard that has it.
    pub shard: ShardId,
    /// Its number there.
    pub sequence: SequenceNumber,
}

/// What became of one record of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is durable on a quorum and readable.
    Stored(Put),
    /// It was not stored: the shard's limit is reached. `ProvisionedThroughputExceededException`.
    Throttled {
        /// The shard.
        shard: ShardId,
    },
    /// It was not stored: the node cannot take more now, for the reason given. `ProvisionedThroughputExceededException`.
    Overloaded(Refusal),
    /// Whether it was stored is unknown, or it can't be now. `InternalFailure`, which clients retry.
    Failed,
}

/// Why a node takes no records now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More waits for the disk than may.
    Busy,
    /// The disk is nearly full.
    DiskFull,
}

impl Refusal {
    /// In words, for the producer's log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Refusal::Busy => "The node has as many records in flight as it may. Try again.",
            Refusal::DiskFull => {
                "The node's disk is nearly full. Free space on it or lower the retention, then try again."
            }
        }
    }
}

impl Router {
    /// Puts records, all shards at once, and says what became of each, in the order given.
    ///
    /// # Errors
    /// For an unknown stream, and for a record that cannot be taken at all (see [`InvalidArgument`]): then nothing is stored.
    pub async fn put_records<E: PutEntry>(
        &self,
        stream: StreamRef<'_>,
        entries: impl ExactSizeIterator<Item = E> + Clone,
    ) -> Result<Vec<PutOutcome>, RouterError> {
        let route = self.inner.writable(&stream)?;
        let Split { parts, part_of } = split(&route, entries)?;
        let (shards, batches): (Vec<RoutedShard>, Vec<Batch>) =
            parts.into_iter().map(|part| (part.shard, part.batch)).unzip();
        let results = self.inner.shards.append(shards.iter().zip(batches).collect()).await;
        for (shard, result) in shards.iter().zip(&results) {
            report(&route, shard, result);
        }
        Ok(outcomes(&shards, &results, &part_of))
    }

    /// Puts one record. With `ordering`, the sequence number of an earlier record, the new one's is greater.
    ///
    /// # Errors
    /// As for [`Self::put_records`], and what [`PutOutcome`] says of records that were not stored.
    pub async fn put_record<E: PutEntry>(
        &self,
        stream: StreamRef<'_>,
        entry: E,
        ordering: Option<&str>,
    ) -> Result<Put, RouterError> {
        let route = self.inner.writable(&stream)?;
        let Split { parts, part_of } = split(&route, std::iter::once(&entry))?;
        let Some(part) = parts.into_iter().next() else {
            return Err(RouterError::Internal("a record without a shard".into()));
        };
        if let Some(number) = ordering {
            self.inner.check_ordering(&route, &part.shard, number).await?;
        }
        let results = self.inner.shards.append(vec![(&part.shard, part.batch)]).await;
        results.iter().for_each(|result| report(&route, &part.shard, result));
        match outcomes(&[part.shard], &results, &part_of).first() {
            Some(PutOutcome::Stored(put)) => Ok(*put),
            Some(PutOutcome::Throttled { shard }) => {
                Err(RouterError::WriteThrottled { stream: route.name.as_str().to_owned(), shard: *shard })
            }
            Some(PutOutcome::Overloaded(refusal)) => Err(RouterError::Overloaded(refusal.as_str())),
            Some(PutOutcome::Failed) | None => Err(RouterError::Unavailable("the record's fate is unknown".into())),
        }
    }
}

impl Inner {
    /// The table of a stream that takes records. One that is being created or deleted is not found, as kinesalite has it of AWS.
    fn writable(&self, stream: &StreamRef<'_>) -> Result<Arc<Route>, RouterError> {
        let route = self.route(stream)?;
        match route.status {
            StreamStatus::Active | StreamStatus::Updating => Ok(route),
            StreamStatus::Creating | StreamStatus::Deleting => Err(not_found(route.name.as_str())),
        }
    }

    async fn check_ordering(&self, route: &Route, shard: &RoutedShard, number: &str) -> Result<(), RouterError> {
        let stream = || route.name.as_str().to_owned();
        let positions = self.shards.position(shard).await;
        let positions = positions.map_err(|error| self.read_error(error, stream(), shard.identity.shard))?;
        let target =
            Target { identity: shard.identity, latest: positions.latest, last_arrival: positions.last_arrival };
        let catalog = self.control.catalog();
        let described = catalog.stream(&route.name).ok_or_else(|| not_found(route.name.as_str()))?;
        if can_precede(number, &target, described, self.now()) {
            return Ok(());
        }
        Err(InvalidArgument::SequenceNumberForOrdering { stream: stream(), number: number.to_owned() }.into())
    }
}

/// Failures that are not the client's doing are said once here; what the client hears says nothing of this node.
fn report(route: &Route, shard: &RoutedShard, result: &PartOutcome) {
    match result {
        Ok(_) | Err(AppendError::Throttled | AppendError::Overloaded | AppendError::DiskFull) => {}
        Err(error) => {
            tracing::warn!(stream = %route.name, shard = %shard.identity.shard, group = %shard.group, %error, "a put failed");
        }
    }
}

/// Gives each record its outcome: a shard accepts a prefix of its batch, and numbers it in order.
fn outcomes(shards: &[RoutedShard], results: &[PartOutcome], part_of: &[u32]) -> Vec<PutOutcome> {
    let mut taken = vec![0; shards.len()];
    let outcome = |part: &u32| {
        let part = *part as usize;
        let place: u32 = taken[part];
        taken[part] += 1;
        outcome_of(&shards[part].identity, &results[part], place)
    };
    part_of.iter().map(outcome).collect()
}

/// The outcome of the record in this place of a shard's batch.
fn outcome_of(identity: &ShardIdentity, result: &PartOutcome, place: u32) -> PutOutcome {
    let throttled = PutOutcome::Throttled { shard: identity.shard };
    match result {
        Ok(appended) if place < appended.accepted => {
            let record = RecordNumber(appended.first_record.0 + u64::from(place));
            let sequence = identity.sequence_number(record, appended.arrival);
            PutOutcome::Stored(Put { shard: identity.shard, sequence })
        }
        Ok(_) | Err(AppendError::Throttled) => throttled,
        Err(AppendError::Overloaded) => PutOutcome::Overloaded(Refusal::Busy),
        Err(AppendError::DiskFull) => PutOutcome::Overloaded(Refusal::DiskFull),
        Err(_) => PutOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_plane::Appended;
    use types::{GroupId, NodeId, TimestampMs};

    const ARRIVAL: TimestampMs = TimestampMs(60_000);

    fn shard(id: u32) -> RoutedShard {
        let identity = ShardIdentity { shard: ShardId(id), created_sec: 50 };
        RoutedShard { identity, group: GroupId(u64::from(id) + 10), nodes: [NodeId(1)].into() }
    }

    fn stored(id: u32, record: u64) -> PutOutcome {
        let sequence = shard(id).identity.sequence_number(RecordNumber(record), ARRIVAL);
        PutOutcome::Stored(Put { shard: ShardId(id), sequence })
    }

    #[test]
    fn outcomes_come_in_the_order_of_the_request() {
        let appended = |first, accepted| Ok(Appended { first_record: RecordNumber(first), arrival: ARRIVAL, accepted });
        let found = outcomes(&[shard(0), shard(4)], &[appended(7, 2), appended(1, 3)], &[1, 0, 1, 1, 0]);
        assert_eq!(found, [stored(4, 1), stored(0, 7), stored(4, 2), stored(4, 3), stored(0, 8)]);
    }

    #[test]
    fn what_is_over_a_shards_limit_is_throttled_from_there_on() {
        let results = [Ok(Appended { first_record: RecordNumber(7), arrival: ARRIVAL, accepted: 1 })];
        let throttled = PutOutcome::Throttled { shard: ShardId(0) };
        assert_eq!(outcomes(&[shard(0)], &results, &[0, 0, 0]), [stored(0, 7), throttled, throttled]);
    }

    #[test]
    fn one_shards_failure_leaves_the_others_records_alone() {
        let results = [
            Err(AppendError::Throttled),
            Err(AppendError::DiskFull),
            Err(AppendError::Overloaded),
            Ok(Appended { first_record: RecordNumber(1), arrival: ARRIVAL, accepted: 1 }),
            Err(AppendError::UnknownShard),
        ];
        let shards = [shard(0), shard(1), shard(2), shard(3), shard(4)];
        let expected = [
            PutOutcome::Throttled { shard: ShardId(0) },
            PutOutcome::Overloaded(Refusal::DiskFull),
            PutOutcome::Overloaded(Refusal::Busy),
            stored(3, 1),
            PutOutcome::Failed,
        ];
        assert_eq!(outcomes(&shards, &results, &[0, 1, 2, 3, 4]), expected);
    }
}
