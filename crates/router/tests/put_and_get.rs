//! Puts, iterators and reads over both real planes, on a disk that loses power.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::collections::BTreeMap;

use router::{
    InvalidArgument, IteratorType, ListShards, NotFound, PutOutcome, RouterError, ShardFilter, StreamRef, StreamStatus,
};
use support::{Plain, World, record, records, stored};

const SHARDS: u32 = 4;

/// What each shard should have: numbers and records in the order of their puts.
fn expected(records: &[Plain], outcomes: &[PutOutcome]) -> BTreeMap<u32, Vec<(String, Plain)>> {
    let mut shards: BTreeMap<u32, Vec<_>> = (0..SHARDS).map(|shard| (shard, Vec::new())).collect();
    for (record, outcome) in records.iter().zip(outcomes) {
        let (shard, number) = stored(outcome);
        shards.get_mut(&shard).unwrap().push((number, record.clone()));
    }
    shards
}

#[test]
fn what_was_acknowledged_is_read_once_with_its_number_also_after_power_loss() {
    let world = World::new();
    let all = records(0..200);
    let put = all.clone();
    let outcomes = world.life(|node| async move {
        node.create("flights", SHARDS).await;
        let mut outcomes = Vec::new();
        for chunk in put.chunks(23) {
            outcomes.extend(node.put("flights", chunk).await);
        }
        outcomes
    });
    let shards = expected(&all, &outcomes);
    assert!(shards.values().filter(|records| !records.is_empty()).count() > 1);
    world.life(|node| async move {
        for (shard, expected) in shards {
            let iterator = node.iterator("flights", shard, IteratorType::TrimHorizon).await;
            assert_eq!(node.read_all(iterator).await, expected);
        }
    });
}

#[test]
fn each_type_of_iterator_begins_where_it_says() {
    World::new().life(|node| async move {
        node.create("flights", 1).await;
        let outcomes = node.put("flights", &records(0..10)).await;
        let number = stored(&outcomes[4]).1;
        let latest = node.iterator("flights", 0, IteratorType::Latest).await;
        let later = node.put("flights", &records(10..12)).await;
        let at = node.iterator_at("flights", 0, IteratorType::AtSequenceNumber, Some(&number)).await.unwrap();
        let after = node.iterator_at("flights", 0, IteratorType::AfterSequenceNumber, Some(&number)).await.unwrap();
        let horizon = node.iterator("flights", 0, IteratorType::TrimHorizon).await;
        for (iterator, first, count) in [(at, &outcomes[4], 8), (after, &outcomes[5], 7), (latest, &later[0], 2)] {
            let read = node.read_all(iterator).await;
            assert_eq!((&read[0].0, read.len()), (&stored(first).1, count));
        }
        assert_eq!(node.read_all(horizon).await.len(), 12);
        let last = stored(&later[1]).1;
        let end = node.iterator_at("flights", 0, IteratorType::AfterSequenceNumber, Some(&last)).await.unwrap();
        assert!(node.get(&end, 10).await.unwrap().records().is_empty());
    });
}

#[test]
fn a_time_finds_the_first_record_that_arrived_then_or_later() {
    World::new().life(|node| async move {
        node.create("flights", 1).await;
        node.put("flights", &records(0..5)).await;
        node.clock.jump_ms(10_000);
        let between = node.clock.true_unix_ms() as i64 + node.clock.skew_ms() - 5_000;
        let later = node.put("flights", &records(5..8)).await;
        let at = |ms: i64| {
            let stream = StreamRef::named("flights");
            node.router.shard_iterator(stream, "shardId-000000000000", IteratorType::AtTimestamp, None, Some(ms))
        };
        let read = node.read_all(at(between).await.unwrap()).await;
        assert_eq!((&read[0].0, read.len()), (&stored(&later[0]).1, 3));
        assert_eq!(node.read_all(at(0).await.unwrap()).await.len(), 8);
        let future = at(between + 60_000).await;
        assert!(
            matches!(future, Err(RouterError::InvalidArgument(InvalidArgument::TimestampInFuture { .. }))),
            "{future:?}"
        );
    });
}

#[test]
fn an_iterator_goes_on_after_a_restart_and_expires_after_five_minutes() {
    let world = World::new();
    let iterator = world.life(|node| async move {
        node.create("flights", 1).await;
        node.put("flights", &records(0..10)).await;
        let first = node.iterator("flights", 0, IteratorType::TrimHorizon).await;
        node.get(&first, 4).await.unwrap().next.unwrap()
    });
    world.life(|node| async move {
        assert!(matches!(node.get(&iterator, 10).await, Err(RouterError::ExpiredIterator { .. })));
        node.clock.jump_ms(-3_600_000);
        let read = node.get(&iterator, 10).await.unwrap();
        assert_eq!(read.records()[0].record.data, "data-4");
        assert_eq!(read.records().len(), 6);
    });
}

#[test]
fn an_iterator_of_a_deleted_stream_does_not_read_a_new_one_of_its_name() {
    World::new().life(|node| async move {
        node.create("flights", 1).await;
        node.put("flights", &records(0..3)).await;
        let iterator = node.iterator("flights", 0, IteratorType::TrimHorizon).await;
        node.router.delete_stream(StreamRef::named("flights")).await.unwrap();
        node.until("flights", None).await;
        node.create("flights", 1).await;
        node.put("flights", &records(3..6)).await;
        let read = node.get(&iterator, 10).await;
        assert_eq!(read.err(), Some(NotFound::StreamOfToken.into()));
        let new = node.iterator("flights", 0, IteratorType::TrimHorizon).await;
        assert_eq!(node.read_all(new).await.len(), 3);
    });
}

#[test]
fn one_record_that_does_not_decode_leaves_nothing_of_its_request() {
    World::new().life(|node| async move {
        node.create("flights", SHARDS).await;
        let mut bad = records(0..20);
        bad.push(record("key", "!"));
        let refused = node.router.put_records(StreamRef::named("flights"), bad.iter()).await;
        assert_eq!(refused, Err(InvalidArgument::Data { index: 20 }.into()));
        for shard in 0..SHARDS {
            let iterator = node.iterator("flights", shard, IteratorType::TrimHorizon).await;
            assert!(node.read_all(iterator).await.is_empty());
        }
    });
}

#[test]
fn a_record_after_an_ordering_number_has_a_greater_one_and_a_number_of_the_future_is_refused() {
    World::new().life(|node| async move {
        node.create("flights", 1).await;
        let stream = StreamRef::named("flights");
        let first = node.router.put_record(stream, record("k", "1"), None).await.unwrap();
        let number = first.sequence.to_string();
        let second = node.router.put_record(stream, record("k", "2"), Some(&number)).await.unwrap();
        assert!(second.sequence > first.sequence);
        let digits = second.sequence.to_string();
        let foreign = format!("{}{}", &digits[..digits.len() - 1], (digits.as_bytes()[55] - b'0' + 1) % 10);
        for bad in ["0", foreign.as_str()] {
            let refused = node.router.put_record(stream, record("k", "3"), Some(bad)).await;
            let error = InvalidArgument::SequenceNumberForOrdering { stream: "flights".into(), number: bad.into() };
            assert_eq!(refused, Err(error.into()));
        }
    });
}

#[test]
fn shards_and_streams_are_listed_by_pages() {
    World::new().life(|node| async move {
        for name in ["a", "b", "c"] {
            node.create(name, 5).await;
        }
        let first = node.router.list_streams(None, None, Some(2)).unwrap();
        let second = node.router.list_streams(None, first.next_token.as_deref(), Some(2)).unwrap();
        let names =
            |page: &router::StreamPage| page.streams.iter().map(|stream| stream.name().to_owned()).collect::<Vec<_>>();
        assert_eq!((names(&first), first.has_more), (vec!["a".into(), "b".into()], true));
        assert_eq!((names(&second), second.has_more, second.next_token), (vec!["c".into()], false, None));

        let (mut ids, mut token) = (Vec::new(), None::<String>);
        loop {
            let list = match &token {
                Some(token) => ListShards::Next { token },
                None => ListShards::First {
                    stream: StreamRef::named("b"),
                    created_ms: None,
                    exclusive_start: None,
                    filter: Some(ShardFilter::AtLatest),
                },
            };
            let page = node.router.list_shards(list, Some(2)).unwrap();
            ids.extend(page.shards.iter().map(|shard| shard.id.0));
            match page.next_token {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        assert_eq!(ids, [0, 1, 2, 3, 4]);
        node.clock.jump_ms(300_001);
        let token = token.unwrap();
        assert_eq!(
            node.router.list_shards(ListShards::Next { token: &token }, None),
            Err(RouterError::ExpiredNextToken)
        );
        let described =
            node.router.describe_stream(StreamRef::named("b"), Some("shardId-000000000001"), Some(2)).unwrap();
        assert!(described.has_more_shards);
        assert_eq!(described.shards.iter().map(|shard| shard.id.0).collect::<Vec<_>>(), [2, 3]);
    });
}

#[test]
fn a_stream_that_is_not_there_yet_or_any_more_takes_no_records() {
    World::new().life(|node| async move {
        let put = async || node.router.put_records(StreamRef::named("flights"), records(0..1).iter()).await;
        let missing = Err(RouterError::from(NotFound::Stream { stream: "flights".into() }));
        assert_eq!(put().await, missing);
        node.create("flights", 1).await;
        assert!(put().await.is_ok());
        node.router.delete_stream(StreamRef::named("flights")).await.unwrap();
        assert_eq!(put().await, missing);
        node.until("flights", None).await;
        assert_eq!(put().await, missing);
        let status = node.router.describe_stream_summary(StreamRef::named("flights"));
        assert_eq!(status.map(|stream| stream.status == StreamStatus::Active), missing.map(|_: Vec<PutOutcome>| true));
    });
}
