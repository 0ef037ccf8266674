//! Each way in which a service can be wrong, made once in a correct history, is found under its invariant.

use super::world::{Fate, RULES, Step, shard_ref, steps, world_of};
use super::*;
use proptest::sample::Index;

/// A run in which everything can be broken: acknowledged records that are not retried, a chain that reads several.
fn rich_steps() -> impl Strategy<Value = Vec<Step>> {
    (steps(), any::<Index>()).prop_map(|(mut steps, at)| {
        steps.retain(|step| !matches!(step, Step::Retain { .. }));
        let start = |reader| Step::Open { reader, shard: 0, start: 1, at };
        steps.extend([Step::Restart { reader: 1 }, start(1)]);
        steps.extend((0..6).map(|_| Step::Put { shard: 0, fate: Fate::Acked }));
        steps.extend((0..2).map(|_| Step::Read { reader: 1, shard: 0, limit: 3 }));
        steps
    })
}

fn history_of(steps: &[Step]) -> History {
    world_of(steps).finish()
}

/// The last acknowledged records of shard 0, oldest first: those that every rich run ends with.
fn last_acked(history: &History) -> Vec<ReadRecord> {
    let acked = history.events.iter().filter_map(|event| match event {
        Event::PutAcked { shard, number, payload, .. } if *shard == shard_ref(0) => {
            Some(ReadRecord { number: *number, payload: *payload })
        }
        _ => None,
    });
    let acked: Vec<ReadRecord> = acked.collect();
    acked[acked.len() - 6..].to_vec()
}

/// Changes the records of the final read of shard 0.
fn in_final_read(history: &mut History, change: impl FnOnce(&mut Vec<ReadRecord>)) {
    let last = history.events.iter_mut().rev().find_map(|event| match event {
        Event::FinalRead { shard, records, .. } if *shard == shard_ref(0) => Some(records),
        _ => None,
    });
    change(last.unwrap());
}

/// Changes the records of the read of shard 0 that saw some record last.
fn in_read_of(history: &mut History, record: ReadRecord, change: impl FnOnce(&mut Vec<ReadRecord>)) {
    let read = history.events.iter_mut().rev().find_map(|event| match event {
        Event::Read { records, .. } if records.contains(&record) => Some(records),
        _ => None,
    });
    change(read.unwrap());
}

fn everywhere(history: &mut History, mut change: impl FnMut(&mut ReadRecord)) {
    for event in &mut history.events {
        match event {
            Event::Read { records, .. } | Event::FinalRead { records, .. } => records.iter_mut().for_each(&mut change),
            _ => {}
        }
    }
}

fn numbers_of(history: &History) -> Vec<u8> {
    let mut numbers: Vec<u8> = check(history).iter().map(|violation| violation.invariant.number()).collect();
    numbers.dedup();
    numbers
}

macro_rules! found {
    ($history:expr, $number:expr) => {
        let numbers = numbers_of(&$history);
        prop_assert!(numbers.contains(&$number), "found only {numbers:?}");
    };
}

proptest! {
    #[test]
    fn an_acknowledged_record_that_is_gone_breaks_1(steps in rich_steps(), at in 0usize..6) {
        let mut history = history_of(&steps);
        let victim = last_acked(&history)[at];
        in_final_read(&mut history, |records| records.retain(|record| *record != victim));
        found!(history, 1);
    }

    #[test]
    fn a_shard_that_comes_back_empty_breaks_1(steps in rich_steps()) {
        let mut history = history_of(&steps);
        in_final_read(&mut history, Vec::clear);
        found!(history, 1);
    }

    #[test]
    fn acknowledged_records_that_nobody_looked_for_break_1(steps in rich_steps()) {
        let mut history = history_of(&steps);
        history.events.retain(|event| !matches!(event, Event::FinalRead { .. }));
        found!(history, 1);
    }

    #[test]
    fn another_payload_under_a_number_breaks_2(steps in rich_steps(), at in 0usize..5) {
        let mut history = history_of(&steps);
        let acked = last_acked(&history);
        in_final_read(&mut history, |records| {
            let record = records.iter_mut().find(|record| **record == acked[at]).unwrap();
            record.payload = acked[at + 1].payload;
        });
        found!(history, 2);
    }

    #[test]
    fn a_number_given_to_two_puts_breaks_2(steps in rich_steps(), at in 1usize..6) {
        let mut history = history_of(&steps);
        let acked = last_acked(&history);
        let ack = history.events.iter_mut().find_map(|event| match event {
            Event::PutAcked { number, .. } if *number == acked[at].number => Some(number),
            _ => None,
        });
        *ack.unwrap() = acked[at - 1].number;
        found!(history, 2);
    }

    #[test]
    fn a_number_below_an_acknowledged_one_breaks_2(steps in rich_steps(), at in 1usize..6) {
        let mut history = history_of(&steps);
        let acked = last_acked(&history);
        let (low, high) = (acked[at - 1], acked[at]);
        let swapped = |number: types::SequenceNumber| match number {
            number if number == low.number => high.number,
            number if number == high.number => low.number,
            number => number,
        };
        for event in &mut history.events {
            if let Event::PutAcked { number, shard, .. } = event && *shard == shard_ref(0) {
                *number = swapped(*number);
            }
        }
        everywhere(&mut history, |record| {
            record.payload = match record.payload {
                payload if payload == low.payload => high.payload,
                payload if payload == high.payload => low.payload,
                payload => payload,
            };
        });
        prop_assert_eq!(numbers_of(&history), [2]);
    }

    #[test]
    fn a_complete_read_out_of_order_breaks_2(steps in rich_steps()) {
        let mut history = history_of(&steps);
        in_final_read(&mut history, |records| {
            let len = records.len();
            records.swap(len - 1, len - 2);
        });
        prop_assert_eq!(numbers_of(&history), [2]);
    }

    #[test]
    fn a_record_that_nobody_put_breaks_4(steps in rich_steps()) {
        let mut history = history_of(&steps);
        let last = last_acked(&history)[5];
        let shard = types::ShardId(0);
        let number = types::SequenceNumber::new(1_000, types::RecordNumber(1 << 40), last.number.arrival_sec(), shard);
        in_final_read(&mut history, |records| records.push(ReadRecord { number, payload: PayloadId(u64::MAX) }));
        prop_assert_eq!(numbers_of(&history), [4]);
    }

    #[test]
    fn a_second_copy_of_a_record_put_once_breaks_4(steps in rich_steps(), at in 0usize..6) {
        let mut history = history_of(&steps);
        let payload = last_acked(&history)[at].payload;
        let last = last_acked(&history)[5];
        let shard = types::ShardId(0);
        let number = types::SequenceNumber::new(1_000, types::RecordNumber(1 << 40), last.number.arrival_sec(), shard);
        in_final_read(&mut history, |records| records.push(ReadRecord { number, payload }));
        prop_assert_eq!(numbers_of(&history), [4]);
    }

    #[test]
    fn a_record_read_before_it_was_put_breaks_4(steps in rich_steps(), at in 0usize..6) {
        let mut history = history_of(&steps);
        let victim = last_acked(&history)[at];
        let (reader, shard) = (ReaderId(99), shard_ref(0));
        history.events.insert(0, Event::Read { reader, shard, records: vec![victim], at: 1 });
        found!(history, 4);
    }

    #[test]
    fn a_reader_that_goes_backwards_breaks_5(steps in rich_steps(), at in prop::sample::select(vec![0usize, 1, 3, 4])) {
        let mut history = history_of(&steps);
        let acked = last_acked(&history);
        in_read_of(&mut history, acked[at], |records| {
            let position = records.iter().position(|record| *record == acked[at]).unwrap();
            records.swap(position, position + 1);
        });
        prop_assert_eq!(numbers_of(&history), [5]);
    }

    #[test]
    fn a_read_of_a_record_that_never_committed_breaks_5(steps in rich_steps()) {
        let mut history = history_of(&steps);
        let last = last_acked(&history)[5];
        // Acknowledged by nobody, read by one, and then gone.
        for event in &mut history.events {
            if let Event::PutAcked { payload, .. } = event && *payload == last.payload {
                *event = Event::PutUnknown { payload: last.payload, at: 0 };
            }
        }
        in_final_read(&mut history, |records| records.retain(|record| *record != last));
        prop_assert_eq!(numbers_of(&history), [5]);
    }

    #[test]
    fn a_record_skipped_by_a_chain_breaks_6(steps in rich_steps(), at in 0usize..5) {
        let mut history = history_of(&steps);
        let victim = last_acked(&history)[at];
        in_read_of(&mut history, victim, |records| records.retain(|record| *record != victim));
        prop_assert_eq!(numbers_of(&history), [6]);
    }

    #[test]
    fn a_record_given_twice_to_a_chain_breaks_6(steps in rich_steps(), at in 0usize..6) {
        let mut history = history_of(&steps);
        let victim = last_acked(&history)[at];
        in_read_of(&mut history, victim, |records| {
            let position = records.iter().position(|record| *record == victim).unwrap();
            records.insert(position, victim);
        });
        prop_assert_eq!(numbers_of(&history), [6]);
    }

    #[test]
    fn a_chain_that_begins_again_breaks_6(steps in rich_steps()) {
        let mut history = history_of(&steps);
        let acked = last_acked(&history);
        in_read_of(&mut history, acked[5], |records| records.extend(&acked));
        prop_assert_eq!(numbers_of(&history), [6]);
    }

    #[test]
    fn an_iterator_that_starts_too_early_or_too_late_breaks_6(steps in rich_steps(), late: bool, after: bool) {
        let mut history = history_of(&steps);
        let acked = last_acked(&history);
        let asked = match (late, after) {
            (true, false) => Start::TrimHorizon,
            (true, true) => Start::After(acked[0].number),
            (false, false) => Start::At(acked[2].number),
            (false, true) => Start::After(acked[2].number),
        };
        let at = if late { 2 } else { 1 };
        let end = history.events.iter().map(|event| if let Event::FinalRead { at, .. } = event { *at } else { 0 }).max();
        let (reader, shard, end) = (ReaderId(99), shard_ref(0), end.unwrap());
        history.record(Event::IteratorOpened { reader, shard: shard.clone(), start: asked, at: end, asked_at: end });
        history.record(Event::Read { reader, shard, records: acked[at..].to_vec(), at: end });
        prop_assert_eq!(numbers_of(&history), [6]);
    }

    #[test]
    fn records_trimmed_early_break_8(steps in rich_steps(), keep in 1usize..5) {
        let mut history = history_of(&steps);
        let horizon = last_acked(&history)[6 - keep].number;
        in_final_read(&mut history, |records| records.retain(|record| record.number >= horizon));
        found!(history, 8);
    }

    #[test]
    fn records_never_trimmed_break_8(steps in rich_steps(), extra_ms in 1_000u64..100_000) {
        let mut history = history_of(&steps);
        let wait_ms = RULES.retention_ms + RULES.grace_ms + extra_ms;
        for event in &mut history.events {
            if let Event::FinalRead { started_at, at, .. } = event {
                // Only those at the end: time never runs backwards.
                (*started_at, *at) = (*started_at + wait_ms, *at + wait_ms);
            }
        }
        found!(history, 8);
    }
}

#[test]
fn a_lost_shard_is_told_in_a_bounded_number_of_words() {
    let steps: Vec<Step> = (0..500).map(|_| Step::Put { shard: 0, fate: Fate::Acked }).collect();
    let mut history = history_of(&steps);
    in_final_read(&mut history, Vec::clear);
    assert_eq!(check(&history).len(), VIOLATIONS_PER_INVARIANT_MAX);
}
