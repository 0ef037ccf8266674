mod mutations;
mod world;

use super::*;
use proptest::prelude::*;
use world::{steps, world_of};

proptest! {
    #[test]
    fn a_correct_history_passes(steps in steps()) {
        let history = world_of(&steps).finish();
        let violations: Vec<String> = check(&history).iter().map(ToString::to_string).collect();
        prop_assert_eq!(violations, Vec::<String>::new());
    }
}

#[test]
fn an_empty_history_passes() {
    assert_eq!(check(&History::new(world::RULES)), []);
}

/// A fast clock ages a record a little early, and just then the retention is raised: the record was gone before that.
#[test]
fn a_record_trimmed_by_a_fast_clock_before_its_retention_was_raised_is_no_violation() {
    let rules = Rules { retention_ms: 20_000, grace_ms: 5_000, clock_error_ms: 2_000 };
    let judge = |raised_at: u64| {
        let (shard, payload) = (world::shard_ref(0), PayloadId(1));
        let stream = shard.stream.clone();
        let number = types::SequenceNumber::new(900, types::RecordNumber(1), 1_000, shard.shard);
        let mut history = History::new(rules);
        let (client, key) = (ClientId(1), "key".to_owned());
        history.record(Event::PutAttempt { client, stream: stream.clone(), key, payload, at: 1_000_000 });
        history.record(Event::PutAcked { shard: shard.clone(), number, payload, at: 1_000_001 });
        let (asked_at, at) = (raised_at, raised_at + 1);
        history.record(Event::RetentionSet { stream, retention_ms: 60_000, asked_at, at });
        history.record(Event::FinalRead { shard, records: Vec::new(), started_at: 1_030_000, at: 1_030_001 });
        check(&history).iter().map(|violation| violation.invariant).collect::<Vec<_>>()
    };
    assert_eq!(judge(1_018_500), [], "by the fast clock it was 20 s old");
    assert_eq!(judge(1_016_500), [Invariant::Durability], "no clock was that fast");
}
