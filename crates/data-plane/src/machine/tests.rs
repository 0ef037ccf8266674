use super::*;
use shard_state::encode_put;
use types::ShardId;

const IDENTITY: ShardIdentity = ShardIdentity { shard: ShardId(2), created_sec: 9 };

fn fresh() -> (ShardMachine, watch::Receiver<Published>) {
    ShardMachine::new(IDENTITY, Box::new(|_| {}))
}

fn entry(index: u64, kind: FrameKind, payload: &Bytes) -> CommittedEntry<'_> {
    CommittedEntry { log_id: LogId { term: 3, index }, kind, payload }
}

fn put(arrival: u64) -> Bytes {
    let record = Bytes::from_static(&[0, 0, 0, 0, 1, 0, 0, b'k']);
    encode_put(TimestampMs(arrival), &[shard_state::Batch { id: shard_state::RequestId(1), bytes: record, count: 1 }])
}

fn trim(index: u64, next_record: u64, last_arrival: u64) -> Bytes {
    let (next_record, last_arrival) = (RecordNumber(next_record), TimestampMs(last_arrival));
    Command::Trim(TrimPoint { index, term: 3, next_record, last_arrival }).encode()
}

/// Membership, blank, three puts, a trim after the second.
fn shard() -> (ShardMachine, watch::Receiver<Published>) {
    let (mut machine, readers) = fresh();
    machine.apply(entry(0, FrameKind::Membership, &Bytes::new()));
    machine.apply(entry(1, FrameKind::Blank, &Bytes::new()));
    for index in 2..5 {
        machine.apply(entry(index, FrameKind::Normal, &put(index * 10)));
    }
    machine.apply(entry(5, FrameKind::Normal, &trim(3, 3, 30)));
    (machine, readers)
}

#[test]
fn readers_see_a_batch_when_it_is_whole() {
    let (mut machine, readers) = shard();
    assert_eq!(readers.borrow().next_record, RecordNumber::FIRST);
    machine.applied_batch();
    let published = *readers.borrow();
    assert_eq!((published.next_record, published.last_arrival), (RecordNumber(4), TimestampMs(40)));
    assert_eq!(published.trim.next_record, RecordNumber(3));
}

#[test]
fn the_snapshot_is_the_state_at_the_trim_point_and_leads_to_the_same_state() {
    let (machine, _) = shard();
    let snapshot = machine.snapshot().unwrap();
    assert_eq!(snapshot.log_id, LogId { term: 3, index: 3 });

    let (mut other, readers) = fresh();
    other.restore(snapshot.log_id, &snapshot.state).unwrap();
    assert_eq!(readers.borrow().next_record, RecordNumber(3));
    let applied = other.apply(entry(4, FrameKind::Normal, &put(40)));
    assert_eq!((applied.first_record, applied.count), (RecordNumber(3), 1));
    other.apply(entry(5, FrameKind::Normal, &trim(3, 3, 30)));
    assert_eq!(other.checkpoint(), machine.checkpoint());
}

#[test]
fn nothing_trimmed_is_nothing_to_compact() {
    let (mut machine, _) = fresh();
    machine.apply(entry(1, FrameKind::Normal, &put(1)));
    assert!(machine.snapshot().is_none());
}

#[test]
fn a_state_of_another_shard_or_position_is_refused() {
    let (machine, _) = shard();
    let state = machine.checkpoint().unwrap();
    let (mut other, readers) = ShardMachine::new(ShardIdentity { shard: ShardId(1), ..IDENTITY }, Box::new(|_| {}));
    assert!(other.restore(LogId { term: 3, index: 5 }, &state).is_err());
    let (mut same, _) = fresh();
    assert!(same.restore(LogId { term: 3, index: 4 }, &state).is_err());
    assert!(same.restore(LogId { term: 3, index: 5 }, &state.slice(1..)).is_err());
    assert!(same.restore(LogId { term: 3, index: 5 }, &state).is_ok());
    assert_eq!(readers.borrow().next_record, RecordNumber::FIRST);
}
