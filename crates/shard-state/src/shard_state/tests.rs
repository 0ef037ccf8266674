use super::*;
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

const IDENTITY: ShardIdentity = ShardIdentity { shard: ShardId(3), created_sec: 1_700_000_000 };

fn put(arrival: u64, count: u32) -> Command {
    Command::Put { arrival: TimestampMs(arrival), count, requests: Bytes::new(), records: Bytes::new() }
}

fn close(at: u64) -> Command {
    Command::Close { at: TimestampMs(at) }
}

/// What a leader would do, by the state it sees.
#[derive(Debug, Clone)]
enum Step {
    Put {
        arrival: u64,
        count: u32,
    },
    Close {
        at: u64,
    },
    /// To the state after one of the entries so far.
    Trim {
        to: prop::sample::Index,
    },
    /// To nowhere that this log has been.
    WildTrim([u64; 4]),
    Pass,
}

/// Wild trims are refused, or pass by chance: a leader never proposes one.
fn steps(wild: u32) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0u64..50, 0u32..5).prop_map(|(arrival, count)| Step::Put { arrival, count }),
        1 => (0u64..50).prop_map(|at| Step::Close { at }),
        3 => any::<prop::sample::Index>().prop_map(|to| Step::Trim { to }),
        1 => Just(Step::Pass),
        wild => prop::array::uniform4(0u64..30).prop_map(Step::WildTrim),
    ];
    vec(step, 0..40)
}

/// Makes a log: entry i has index i+1; `None` is an entry that isn't a command.
fn log_of(steps: &[Step]) -> Vec<Option<Command>> {
    let mut state = ShardState::new(IDENTITY);
    let mut points = vec![TrimPoint::NONE];
    let mut log = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let command = match step {
            Step::Put { arrival, count } => Some(put(*arrival, *count)),
            Step::Close { at } => Some(close(*at)),
            Step::Trim { to } => Some(Command::Trim(points[to.index(points.len())])),
            Step::WildTrim([index, term, next, arrival]) => Some(Command::Trim(TrimPoint {
                index: *index,
                term: *term,
                next_record: RecordNumber(*next),
                last_arrival: TimestampMs(*arrival),
            })),
            Step::Pass => None,
        };
        run(&mut state, i as u64 + 1, command.as_ref());
        points.push(state.as_trim_point(1));
        log.push(command);
    }
    log
}

fn run(state: &mut ShardState, index: u64, command: Option<&Command>) -> Option<Applied> {
    match command {
        Some(command) => Some(state.apply(index, command)),
        None => {
            state.pass(index);
            None
        }
    }
}

/// The naive model: every record that was ever accepted, by its arrival, and the latest time that any entry brought.
#[derive(Default)]
struct Model {
    records: Vec<u64>,
    clock: u64,
    closed: bool,
}

impl Model {
    /// How many records are accepted, and the arrival time.
    fn apply(&mut self, command: &Command) -> (u32, u64) {
        let (at, count) = match command {
            _ if self.closed => (0, 0),
            Command::Put { arrival, count, .. } => (arrival.0, *count),
            Command::Close { at } => (at.0, 0),
            Command::Trim(_) => (0, 0),
        };
        self.closed |= matches!(command, Command::Close { .. });
        self.clock = self.clock.max(at);
        self.records.extend(std::iter::repeat_n(self.clock, count as usize));
        (count, self.clock)
    }
}

#[test]
fn puts_after_close_get_nothing() {
    let mut state = ShardState::new(IDENTITY);
    assert_eq!(state.apply(1, &put(10, 2)).count, 2);
    assert_eq!(state.apply(2, &close(5)).outcome, Outcome::Closed);
    let applied = state.apply(3, &put(20, 4));
    assert_eq!((applied.outcome, applied.count, applied.first_record), (Outcome::RejectedClosed, 0, RecordNumber(3)));
    assert_eq!(state.next_record(), RecordNumber(3));
    assert_eq!(state.phase(), Phase::Closed { at: TimestampMs(10), index: 2 });
    assert_eq!(state.apply(4, &close(99)).outcome, Outcome::AlreadyClosed);
    assert!(state.ending_sequence_number().unwrap() > state.sequence_number(RecordNumber(2), TimestampMs(10)));
}

#[test]
fn arrival_never_runs_backwards_when_a_leader_with_a_slow_clock_takes_over() {
    let mut state = ShardState::new(IDENTITY);
    assert_eq!(state.apply(1, &put(1_000, 1)).arrival, TimestampMs(1_000));
    assert_eq!(state.apply(2, &put(400, 1)).arrival, TimestampMs(1_000));
    assert_eq!(state.apply(3, &put(1_001, 1)).arrival, TimestampMs(1_001));
}

#[test]
#[should_panic(expected = "applied twice")]
fn an_entry_applied_twice_stops_the_replica() {
    let mut state = ShardState::new(IDENTITY);
    state.apply(7, &put(1, 1));
    state.apply(7, &put(1, 1));
}

#[test]
fn trim_moves_forward_only_and_not_beyond_the_log() {
    let mut state = ShardState::new(IDENTITY);
    state.apply(1, &put(10, 5));
    let first = state.as_trim_point(1);
    state.apply(2, &put(20, 5));
    let second = state.as_trim_point(1);
    assert_eq!(state.apply(3, &Command::Trim(second)).outcome, Outcome::Trimmed);
    assert_eq!(state.apply(4, &Command::Trim(first)).outcome, Outcome::StaleTrim);
    assert_eq!(state.apply(5, &Command::Trim(second)).outcome, Outcome::StaleTrim);
    let ahead = TrimPoint { index: 5, next_record: RecordNumber(12), ..second };
    assert_eq!(state.apply(6, &Command::Trim(ahead)).outcome, Outcome::RejectedTrim);
    let itself = TrimPoint { index: 7, ..second };
    assert_eq!(state.apply(7, &Command::Trim(itself)).outcome, Outcome::RejectedTrim);
    assert_eq!(state.trim(), second);
}

#[test]
fn a_shard_whose_close_is_trimmed_stays_closed_in_its_snapshot() {
    let mut state = ShardState::new(IDENTITY);
    state.apply(1, &put(10, 1));
    let before = state.as_trim_point(1);
    state.apply(2, &close(20));
    let after = state.as_trim_point(1);
    state.apply(3, &Command::Trim(before));
    assert!(state.at_trim_point().is_open());
    state.apply(4, &Command::Trim(after));
    assert_eq!(state.at_trim_point().phase(), state.phase());
}

proptest! {
    #[test]
    fn numbers_arrivals_and_closing_are_those_of_a_list_of_records(steps in steps(1)) {
        let (mut state, mut model) = (ShardState::new(IDENTITY), Model::default());
        for (i, command) in log_of(&steps).iter().enumerate() {
            let next = model.records.len() as u64 + 1;
            let Some(applied) = run(&mut state, i as u64 + 1, command.as_ref()) else { continue };
            let expected = model.apply(command.as_ref().unwrap());
            prop_assert_eq!((applied.count, applied.arrival.0), expected);
            prop_assert_eq!(applied.first_record.0, next);
            prop_assert_eq!(state.next_record().0, model.records.len() as u64 + 1);
            prop_assert_eq!(state.is_open(), !model.closed);
        }
        prop_assert!(model.records.is_sorted());
    }

    #[test]
    fn trim_never_goes_back_or_ahead(steps in steps(6)) {
        let mut state = ShardState::new(IDENTITY);
        for (i, command) in log_of(&steps).iter().enumerate() {
            let before = state.trim();
            let applied = run(&mut state, i as u64 + 1, command.as_ref());
            let after = state.trim();
            prop_assert!(after.is_at_or_after(&before));
            prop_assert!(after.next_record <= state.next_record() && after.index < state.applied_index());
            let trimmed = applied.is_some_and(|applied| applied.outcome == Outcome::Trimmed);
            prop_assert_eq!(trimmed, after != before);
        }
    }

    #[test]
    fn a_snapshot_at_the_trim_point_and_the_entries_after_it_lead_to_the_same_state(steps in steps(0)) {
        let log = log_of(&steps);
        let mut state = ShardState::new(IDENTITY);
        for (i, command) in log.iter().enumerate() {
            run(&mut state, i as u64 + 1, command.as_ref());
        }
        let mut replica = state.at_trim_point();
        prop_assert_eq!(ShardState::decode(&replica.encode()), Ok(replica.clone()));
        for index in replica.applied_index()..log.len() as u64 {
            run(&mut replica, index + 1, log[index as usize].as_ref());
        }
        prop_assert_eq!(replica, state);
    }

    #[test]
    fn every_reachable_state_survives_encoding(steps in steps(1)) {
        let mut state = ShardState::new(IDENTITY);
        for (i, command) in log_of(&steps).iter().enumerate() {
            run(&mut state, i as u64 + 1, command.as_ref());
            prop_assert_eq!(ShardState::decode(&state.encode()), Ok(state.clone()));
        }
    }
}
