use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;
const NOON: i64 = 1_700_000_000_000;

/// A world with a true time, which is the monotonic one, and a wall clock that is off by `skew`.
#[derive(Default)]
struct World {
    history: WallHistory,
    now: i64,
    skew: i64,
    last_arrival: i64,
    /// True time and arrival time of each record.
    records: Vec<(i64, i64)>,
}

impl World {
    fn look(&mut self) -> i64 {
        let wall = NOON + self.now + self.skew;
        self.history.observe(self.now, wall);
        wall
    }

    fn put(&mut self) {
        self.last_arrival = self.last_arrival.max(self.look());
        self.records.push((self.now, self.last_arrival));
    }

    fn pass(&mut self, ms: i64) {
        for _ in 0..ms / 600_000 {
            self.now += 600_000;
            self.look();
        }
        self.now += ms % 600_000;
        self.look();
    }

    fn expired(&self, retention: i64) -> i64 {
        self.history.expired_before(self.now, retention) as i64
    }
}

#[test]
fn with_a_clock_that_is_right_a_record_goes_when_its_time_has_come() {
    let mut world = World::default();
    world.pass(HOUR);
    world.put();
    world.pass(24 * HOUR);
    assert_eq!(world.expired(24 * HOUR), world.last_arrival, "not in the same millisecond");
    world.pass(1);
    assert_eq!(world.expired(24 * HOUR), world.last_arrival + 1);
}

#[test]
fn a_clock_that_jumps_ahead_a_year_trims_nothing_early() {
    let mut world = World::default();
    world.put();
    world.pass(HOUR);
    world.skew = 8_760 * HOUR;
    world.pass(22 * HOUR);
    assert!(world.expired(24 * HOUR) <= NOON, "the record is 23 hours old");
    world.pass(2 * HOUR);
    assert!(world.expired(24 * HOUR) > NOON, "the record is 25 hours old");
}

#[test]
fn a_clock_that_is_put_back_keeps_records_longer_by_no_more_than_that() {
    let mut world = World::default();
    world.put();
    world.pass(10 * HOUR);
    let noted = world.last_arrival;
    world.put();
    world.skew = -HOUR;
    world.pass(14 * HOUR + 1);
    assert!(world.expired(24 * HOUR) > noted - 9 * HOUR, "the first record is due as ever");
    world.pass(12 * HOUR);
    assert!(world.expired(24 * HOUR) > world.last_arrival, "the second after 26 hours at the latest");
}

#[test]
fn records_from_before_the_start_are_aged_by_the_wall_clock() {
    let mut world = World::default();
    world.look();
    assert_eq!(world.expired(24 * HOUR), NOON - 24 * HOUR);
    world.pass(HOUR);
    assert_eq!(world.expired(24 * HOUR), NOON - 23 * HOUR);
}

#[test]
fn a_clock_that_is_ahead_at_the_start_and_put_right_soon_trims_nothing_early() {
    let mut world = World { skew: 5 * HOUR, ..World::default() };
    world.pass(20_000);
    world.skew = 0;
    world.pass(40_000);
    assert_eq!(world.expired(24 * HOUR), NOON + 60_000 - 24 * HOUR);
}

#[test]
fn nothing_is_expired_before_the_clock_was_looked_at_and_before_1970() {
    assert_eq!(WallHistory::default().expired_before(0, HOUR), 0);
    let mut history = WallHistory::default();
    history.observe(5, 20);
    assert_eq!(history.expired_before(5, i64::MAX), 0);
}

#[test]
fn a_clock_that_never_rests_takes_bounded_memory_and_trims_nothing_early() {
    let mut world = World::default();
    world.put();
    for step in 0..3 * SPANS_MAX as i64 {
        world.skew = (step % 7) * 10_000;
        world.pass(5_000);
    }
    assert!(world.history.spans.len() <= SPANS_MAX);
    assert!(world.expired(24 * HOUR) <= NOON, "it is 17 hours old");
}

#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    Jump(i64),
    Drift(i64),
    Put,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0i64..3 * HOUR).prop_map(Step::Pass),
        4 => Just(Step::Put),
        1 => (-30 * HOUR..30 * HOUR).prop_map(Step::Jump),
        1 => (-900i64..900).prop_map(Step::Drift),
    ];
    vec(step, 1..80)
}

fn run(world: &mut World, steps: &[Step]) {
    world.look();
    for step in steps {
        match step {
            Step::Pass(ms) => world.pass(*ms),
            Step::Jump(by) | Step::Drift(by) => world.skew += by,
            Step::Put => world.put(),
        }
    }
}

proptest! {
    #[test]
    fn however_the_clock_jumps_no_record_goes_early(steps in steps(), retention in 1i64..40) {
        let retention = retention * HOUR;
        let mut world = World::default();
        run(&mut world, &steps);
        world.look();
        for (came, arrival) in &world.records {
            if *arrival < world.expired(retention) {
                prop_assert!(world.now - came > retention, "gone after {} of {retention} ms", world.now - came);
            }
        }
    }

    #[test]
    fn with_a_clock_that_only_drifts_every_record_goes_in_time(steps in steps(), retention in 1i64..40) {
        let retention = retention * HOUR;
        let mut world = World::default();
        let calm: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::Jump(_))).collect();
        run(&mut world, &calm);
        let drift: i64 = calm.iter().map(|step| if let Step::Drift(by) = step { by.abs() } else { 0 }).sum();
        for (came, arrival) in &world.records {
            if world.now - came > retention + 2 * (drift + DRIFT_MS) {
                prop_assert!(*arrival < world.expired(retention), "still there after {} ms", world.now - came);
            }
        }
    }

    #[test]
    fn once_the_clock_is_right_again_every_record_goes_late_by_no_more_than_the_jumps(steps in steps(), retention in 1i64..40) {
        let retention = retention * HOUR;
        let mut world = World::default();
        run(&mut world, &steps);
        let jumps: i64 = steps.iter().map(|step| if let Step::Jump(by) | Step::Drift(by) = step { by.abs() } else { 0 }).sum();
        world.pass(retention + jumps + DRIFT_MS + 1);
        prop_assert!(world.records.iter().all(|(_, arrival)| *arrival < world.expired(retention)));
    }
}
