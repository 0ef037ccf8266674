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
