use super::*;
use proptest::prelude::*;
use types::ShardId;

const NOW: TimestampMs = TimestampMs(1_700_000_500_000);
const SHARD: ShardFacts<'static> = ShardFacts {
    stream: "flights",
    identity: ShardIdentity { shard: ShardId(3), created_sec: 1_700_000_000 },
    latest: RecordNumber(100),
    last_arrival: TimestampMs(1_700_000_400_000),
    closed: false,
};

fn number(record: u64) -> String {
    SHARD.identity.sequence_number(RecordNumber(record), TimestampMs(1_700_000_400_000)).to_string()
}

fn is_invalid(result: Result<RecordNumber, RouterError>) -> bool {
    matches!(result, Err(RouterError::InvalidArgument(InvalidArgument::StartingSequenceNumber { .. })))
}

#[test]
fn type_sequence_number_and_time_must_go_together() {
    let check = |kind, number, time| check(kind, number, time, NOW);
    let missing = |kind| Err(InvalidArgument::StartingSequenceNumberMissing(kind).into());
    let unexpected = |kind| Err(InvalidArgument::StartingSequenceNumberUnexpected(kind).into());
    assert_eq!(check(IteratorType::TrimHorizon, None, None), Ok(Start::TrimHorizon));
    assert_eq!(check(IteratorType::Latest, None, Some(5)), Ok(Start::Latest));
    assert_eq!(check(IteratorType::AtSequenceNumber, Some("1"), None), Ok(Start::At { number: "1" }));
    for kind in [IteratorType::AtSequenceNumber, IteratorType::AfterSequenceNumber] {
        assert_eq!(check(kind, None, Some(5)), missing(kind));
    }
    for kind in [IteratorType::TrimHorizon, IteratorType::Latest, IteratorType::AtTimestamp] {
        assert_eq!(check(kind, Some("1"), Some(5)), unexpected(kind));
    }
    assert_eq!(check(IteratorType::AtTimestamp, None, None), Err(InvalidArgument::TimestampMissing.into()));
}

#[test]
fn a_time_may_be_now_or_before_1970_and_not_in_the_future() {
    let at = |ms| check(IteratorType::AtTimestamp, None, Some(ms), NOW);
    assert_eq!(at(-1), Ok(Start::Time(TimestampMs(0))));
    assert_eq!(at(1_700_000_500_000), Ok(Start::Time(NOW)));
    let error = InvalidArgument::TimestampInFuture { timestamp_ms: 1_700_000_500_001, now_ms: NOW.0 };
    assert_eq!(at(1_700_000_500_001), Err(error.into()));
}

#[test]
fn numbers_of_this_shards_records_are_taken() {
    let kind = IteratorType::AtSequenceNumber;
    assert_eq!(record_of(kind, &number(1), &SHARD), Ok(RecordNumber(1)));
    assert_eq!(record_of(kind, &number(99), &SHARD), Ok(RecordNumber(99)));
    assert_eq!(record_after(&number(99), &SHARD), Ok(RecordNumber(100)));
}

#[test]
fn after_the_starting_number_no_record_is_missed() {
    let start = SHARD.identity.starting_sequence_number().to_string();
    assert_eq!(record_of(IteratorType::AtSequenceNumber, &start, &SHARD), Ok(RecordNumber::FIRST));
    assert_eq!(record_after(&start, &SHARD), Ok(RecordNumber::FIRST));
    let empty = ShardFacts { latest: RecordNumber::FIRST, last_arrival: TimestampMs(0), ..SHARD };
    assert_eq!(record_after(&start, &empty), Ok(RecordNumber::FIRST));
}

#[test]
fn what_is_no_number_or_not_given_yet_is_refused() {
    let later = SHARD.identity.sequence_number(RecordNumber(5), TimestampMs(1_700_000_401_000)).to_string();
    let closing = SequenceNumber::closing(1_700_000_000, 1_700_000_400, ShardId(3)).to_string();
    let not_the_start = SequenceNumber::new(1_700_000_000, RecordNumber(0), 1_700_000_001, ShardId(3)).to_string();
    for bad in ["", "x", "-1", "1e3", &number(100), &later, &closing, &not_the_start] {
        assert!(is_invalid(record_of(IteratorType::AtSequenceNumber, bad, &SHARD)), "{bad}");
    }
}

#[test]
fn numbers_of_another_shard_or_stream_say_so() {
    let kind = IteratorType::AtSequenceNumber;
    let other = SequenceNumber::new(1_700_000_000, RecordNumber(5), 1_700_000_400, ShardId(2)).to_string();
    let error = InvalidArgument::StartingSequenceNumberOfOtherShard { encoded: ShardId(2), shard: ShardId(3) };
    assert_eq!(record_of(kind, &other, &SHARD), Err(error.into()));
    let earlier = SequenceNumber::new(1_600_000_000, RecordNumber(5), 1_600_000_400, ShardId(3)).to_string();
    let foreign = record_of(kind, &earlier, &SHARD);
    let is_foreign =
        matches!(foreign, Err(RouterError::InvalidArgument(InvalidArgument::StartingSequenceNumberForeign { .. })));
    assert!(is_foreign, "{foreign:?}");
    let zero = ShardFacts { identity: ShardIdentity { shard: ShardId(0), created_sec: 5 }, ..SHARD };
    assert!(record_of(kind, "0", &zero).is_err());
}

#[test]
fn the_end_of_a_closed_shard_is_told_apart() {
    let closed = ShardFacts { closed: true, ..SHARD };
    let closing = SequenceNumber::closing(1_700_000_000, 1_700_000_400, ShardId(3)).to_string();
    for kind in [IteratorType::AtSequenceNumber, IteratorType::AfterSequenceNumber] {
        assert_eq!(record_of(kind, &closing, &closed), Err(InvalidArgument::SequenceNumberAtShardEnd(kind).into()));
    }
}

proptest! {
    #[test]
    fn exactly_the_records_below_latest_are_taken(record in 0u64..200) {
        let taken = record_of(IteratorType::AtSequenceNumber, &number(record), &SHARD);
        if (1..100).contains(&record) {
            prop_assert_eq!(taken, Ok(RecordNumber(record)));
            prop_assert_eq!(record_after(&number(record), &SHARD), Ok(RecordNumber(record + 1)));
        } else {
            prop_assert!(is_invalid(taken));
        }
    }
}
