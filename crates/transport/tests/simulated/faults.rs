//! What callers see while links are cut and held, and after.

use std::time::Duration;

use crate::world::{DEADLINE, SLACK, Seen, World, names};

const SECOND: Duration = Duration::from_secs(1);

fn all_answered(seen: &[Seen]) -> bool {
    !seen.is_empty() && seen.iter().all(|seen| seen.outcome.starts_with("answered"))
}

fn assert_deadlines(seen: &[Seen]) {
    let late = seen.iter().find(|seen| seen.took > DEADLINE + SLACK);
    assert!(late.is_none(), "{late:?}");
}

#[test]
fn a_cut_link_costs_deadlines_then_nothing_and_heals() {
    for seed in 0..5 {
        let mut world = World::new(seed, 2);
        world.step_for(SECOND);
        let cut = world.now();
        assert!(all_answered(&world.seen(1, 2, Duration::ZERO)), "{:?}", world.seen(1, 2, Duration::ZERO));

        world.sim.partition(names(1), names(2));
        world.step_for(12 * SECOND);
        let during = world.seen(1, 2, cut + SECOND / 10);
        assert_deadlines(&during);
        assert!(during.iter().all(|seen| !seen.outcome.starts_with("answered")), "{during:?}");
        assert!(during.iter().any(|seen| seen.outcome == "outcome unknown: no answer within the deadline"));
        assert!(during.iter().any(|seen| seen.outcome.starts_with("outcome unknown: the connection was lost")));
        let later = world.seen(1, 2, cut + 11 * SECOND);
        assert!(later.len() > 40, "a peer that is known to be gone costs time: {later:?}");
        assert!(later.iter().all(|seen| seen.outcome.starts_with("not sent")), "{later:?}");

        world.sim.repair(names(1), names(2));
        world.step_for(5 * SECOND);
        let healed = world.now();
        world.step_for(5 * SECOND);
        let after = world.seen(1, 2, healed);
        assert!(all_answered(&after), "seed {seed}: {after:?}");
    }
}

#[test]
fn a_link_cut_so_briefly_that_nobody_notices_does_not_hang_for_ever() {
    for seed in 0..5 {
        let mut world = World::new(seed, 2);
        world.step_for(SECOND);
        let cut = world.now();
        world.sim.partition_oneway(names(1), names(2));
        world.step_for(SECOND / 4);
        world.sim.repair(names(1), names(2));
        // The lost bytes never come: one side hears nothing any more and must close.
        world.step_for(12 * SECOND);
        let healed = world.now();
        world.step_for(3 * SECOND);
        assert_deadlines(&world.seen(1, 2, cut));
        assert!(all_answered(&world.seen(1, 2, healed)), "seed {seed}: {:?}", world.seen(1, 2, healed));
        assert!(all_answered(&world.seen(2, 1, healed)), "seed {seed}: {:?}", world.seen(2, 1, healed));
    }
}

#[test]
fn held_messages_arrive_late_and_deadlines_hold() {
    let mut world = World::new(7, 2);
    world.step_for(SECOND);
    let held = world.now();
    world.sim.hold(names(1), names(2));
    world.step_for(3 * SECOND);
    let during = world.seen(1, 2, held);
    assert_deadlines(&during);
    assert!(during.iter().any(|seen| seen.outcome == "outcome unknown: no answer within the deadline"));
    assert!(!during.iter().any(|seen| seen.outcome.starts_with("not sent")), "{during:?}");

    world.sim.release(names(1), names(2));
    world.step_for(SECOND);
    let released = world.now();
    world.step_for(2 * SECOND);
    assert!(all_answered(&world.seen(1, 2, released)), "{:?}", world.seen(1, 2, released));
}

#[test]
fn a_crashed_node_is_known_at_once_and_found_again() {
    let mut world = World::new(11, 2);
    world.step_for(3 * SECOND);
    let crashed = world.now();
    world.crash(2);
    world.step_for(3 * SECOND);
    let during = world.seen(1, 2, crashed + SECOND / 2);
    assert!(during.iter().all(|seen| seen.outcome.starts_with("not sent")), "{during:?}");
    assert!(during.iter().all(|seen| seen.took <= SECOND / 2 + SLACK), "{during:?}");

    world.start(2);
    world.step_for(3 * SECOND);
    let back = world.now();
    world.step_for(2 * SECOND);
    assert!(all_answered(&world.seen(1, 2, back)) && all_answered(&world.seen(2, 1, back)));
}
