//! `SequenceNumberForOrdering`: pure.
//!
//! That a new record's number is greater than those before it is certain anyway: a shard's numbers increase in the order of its
//! log, and a child's are above its parents'. So the number is only checked: one that no record of this partition key can have
//! is refused, as AWS does, instead of promising an order that can't be kept.

use std::collections::BTreeSet;

use catalog_state::Stream;
use shard_state::ShardIdentity;
use types::{RecordNumber, SequenceNumber, ShardId, TimestampMs};

/// What is known of the shard to which the new record goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) identity: ShardIdentity,
    /// The number of its next record.
    pub(crate) latest: RecordNumber,
    /// The newest arrival in it.
    pub(crate) last_arrival: TimestampMs,
}

/// Whether a record with this number can lie before a new one in the target: it is of the target and exists, or of one of its
/// ancestors, and has not arrived in the future.
pub(crate) fn can_precede(text: &str, target: &Target, stream: &Stream, now: TimestampMs) -> bool {
    let Ok(number) = text.parse::<SequenceNumber>() else { return false };
    let shard = number.shard();
    let same_shard = |created_sec| created_sec == number.shard_created_sec();
    let exists = if shard == target.identity.shard {
        same_shard(target.identity.created_sec) && number.record() < target.latest
    } else {
        is_ancestor(stream, target.identity.shard, shard)
            && stream.shards.get(&shard).is_some_and(|ancestor| same_shard(ancestor.created.seconds()))
    };
    let newest_sec = now.max(target.last_arrival).seconds();
    exists && number.record() >= RecordNumber::FIRST && !number.is_closing() && number.arrival_sec() <= newest_sec
}

/// Whether `ancestor` is one of the shards that `shard` came from. Goes from greater ids to smaller ones, each once: parents have
/// smaller ids, and after many splits and merges there are more ways back than shards.
fn is_ancestor(stream: &Stream, shard: ShardId, ancestor: ShardId) -> bool {
    let mut waiting = BTreeSet::from([shard]);
    while let Some(id) = waiting.pop_last().filter(|id| *id > ancestor) {
        let parents = stream.shards.get(&id).map(|shard| [shard.parent, shard.adjacent_parent]);
        waiting.extend(parents.into_iter().flatten().flatten());
        if waiting.contains(&ancestor) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tests::{split, stream};

    const NOW: TimestampMs = TimestampMs(100_000);

    /// Shards 0 and 1 of second 1; 0 was split at second 50 into 2 and 3.
    fn history() -> Stream {
        let mut stream = stream(2);
        split(&mut stream, ShardId(0), 50_000);
        stream
    }

    fn check(shard: u32, created_sec: u64, record: u64, arrival_sec: u64) -> bool {
        let number = SequenceNumber::new(created_sec, RecordNumber(record), arrival_sec, ShardId(shard));
        check_text(&number.to_string())
    }

    fn check_text(text: &str) -> bool {
        let identity = ShardIdentity { shard: ShardId(2), created_sec: 50 };
        let target = Target { identity, latest: RecordNumber(10), last_arrival: TimestampMs(90_000) };
        can_precede(text, &target, &history(), NOW)
    }

    #[test]
    fn a_record_of_the_shard_or_of_its_parent_can_precede() {
        assert!(check(2, 50, 1, 60));
        assert!(check(2, 50, 9, 100));
        assert!(check(0, 1, 5_000, 49));
    }

    #[test]
    fn ancestors_are_found_over_generations_and_siblings_are_none() {
        let mut stream = history();
        split(&mut stream, ShardId(2), 60_000);
        split(&mut stream, ShardId(5), 70_000);
        for (shard, ancestors) in [(7, vec![0, 2, 5]), (4, vec![0, 2]), (3, vec![0]), (1, vec![])] {
            let found: Vec<u32> = (0..9).filter(|id| is_ancestor(&stream, ShardId(shard), ShardId(*id))).collect();
            assert_eq!(found, ancestors, "of shard {shard}");
        }
    }

    #[test]
    fn what_is_not_there_yet_cannot() {
        assert!(!check(2, 50, 10, 60));
        assert!(!check(2, 50, 9, 101));
        assert!(!check(2, 50, 0, 50));
        assert!(!check(0, 1, RecordNumber::CLOSING.0, 50));
    }

    #[test]
    fn other_shards_other_streams_and_other_texts_cannot() {
        assert!(!check(1, 1, 1, 60));
        assert!(!check(3, 50, 1, 60));
        assert!(!check(2, 49, 1, 60));
        assert!(!check(0, 2, 1, 40));
        for bad in ["", "0", "1", "x", "-5"] {
            assert!(!check_text(bad), "{bad}");
        }
    }
}
