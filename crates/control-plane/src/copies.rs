//! Two copies of the catalog: one to change, one to read.
//!
//! A state of thousands of shards is a megabyte; cloning it for each command that a controller proposes would make the creation
//! of n streams cost n². So the machine keeps a working copy, and publishing swaps the two: readers get the changed one, and the
//! one they had is brought up to date by the same few commands again, which a pure state machine takes to the same state. Only
//! if a reader still holds the old one is it cloned.

use std::mem;
use std::sync::Arc;

use catalog_state::{CatalogCommand, CatalogReply, CatalogState};
use tokio::sync::watch;

/// `published` with `unpublished` applied to it is `working`.
pub(crate) struct Copies {
    working: CatalogState,
    /// What was applied since the last publishing; a batch of entries, which the log's reader bounds in bytes.
    unpublished: Vec<Step>,
    published: watch::Sender<Arc<CatalogState>>,
}

enum Step {
    Command(u64, CatalogCommand),
    Pass(u64),
}

impl Step {
    fn again(&self, state: &mut CatalogState) {
        match self {
            Step::Command(index, command) => drop(state.apply(*index, command)),
            Step::Pass(index) => state.pass(*index),
        }
    }
}

impl Copies {
    /// Both copies empty, and where readers see the published one.
    pub(crate) fn new() -> (Copies, watch::Receiver<Arc<CatalogState>>) {
        let (published, readers) = watch::channel(Arc::new(CatalogState::new()));
        (Copies { working: CatalogState::new(), unpublished: Vec::new(), published }, readers)
    }

    pub(crate) fn working(&self) -> &CatalogState {
        &self.working
    }

    pub(crate) fn apply(&mut self, index: u64, command: CatalogCommand) -> CatalogReply {
        let reply = self.working.apply(index, &command);
        self.unpublished.push(Step::Command(index, command));
        reply
    }

    pub(crate) fn pass(&mut self, index: u64) {
        self.working.pass(index);
        self.unpublished.push(Step::Pass(index));
    }

    /// Replaces everything.
    pub(crate) fn reset(&mut self, state: CatalogState) {
        self.unpublished.clear();
        self.working = state.clone();
        self.published.send_replace(Arc::new(state));
    }

    /// Shows readers what was applied, and says whether that went without a clone.
    pub(crate) fn publish(&mut self) -> bool {
        if self.unpublished.is_empty() {
            return true;
        }
        let next = Arc::new(mem::take(&mut self.working));
        let before = self.published.send_replace(Arc::clone(&next));
        let steps = mem::take(&mut self.unpublished);
        match Arc::try_unwrap(before) {
            Ok(mut state) => {
                steps.iter().for_each(|step| step.again(&mut state));
                self.working = state;
                true
            }
            Err(_held_by_a_reader) => {
                self.working = CatalogState::clone(&next);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog_state::ClusterId;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use types::{NodeId, StreamArn, StreamName, TimestampMs};

    #[derive(Debug, Clone)]
    enum Event {
        Create(u8),
        Ready(u64),
        Pass,
        Publish,
        ReaderTakes,
        ReaderLetsGo,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            3 => (0u8..20).prop_map(Event::Create),
            2 => (1u64..20).prop_map(Event::Ready),
            1 => Just(Event::Pass),
            3 => Just(Event::Publish),
            1 => Just(Event::ReaderTakes),
            1 => Just(Event::ReaderLetsGo),
        ];
        vec(event, 0..80)
    }

    fn create(n: u8) -> CatalogCommand {
        let name = StreamName::parse(&format!("s{n}")).unwrap();
        CatalogCommand::CreateStream {
            arn: StreamArn::new("us-east-1", "000000000000", name).unwrap(),
            shard_count: 2,
            mode: catalog_state::StreamMode::Provisioned,
            at: TimestampMs(1),
            replication: 1,
            replicas: vec![vec![NodeId(1)]],
            limits: catalog_state::AccountLimits::OFF,
        }
    }

    proptest! {
        #[test]
        fn readers_see_what_one_copy_would_show_and_what_they_hold_never_changes(events in events()) {
            let (mut copies, readers) = Copies::new();
            let mut model = CatalogState::new();
            let mut held: Option<(Arc<CatalogState>, CatalogState)> = None;
            let first = CatalogCommand::Initialise { cluster_id: ClusterId(1), iterator_key: [0; 32], at: TimestampMs(1) };
            model.apply(1, &first);
            copies.apply(1, first);
            let (api_addr, peer_addr, zone) = (String::new(), String::new(), String::new());
            let join = CatalogCommand::JoinNode { incarnation: 1, preferred: None, api_addr, peer_addr, zone, catalog: 0, starts_over: false };
            model.apply(2, &join);
            copies.apply(2, join);
            for (index, event) in (3..).zip(events) {
                match event {
                    Event::Create(n) => {
                        prop_assert_eq!(copies.apply(index, create(n)), model.apply(index, &create(n)));
                    }
                    Event::Ready(id) => {
                        let ready = CatalogCommand::StreamReady { id };
                        prop_assert_eq!(copies.apply(index, ready.clone()), model.apply(index, &ready));
                    }
                    Event::Pass => {
                        copies.pass(index);
                        model.pass(index);
                    }
                    Event::Publish => {
                        copies.publish();
                        prop_assert_eq!(&**readers.borrow(), &model);
                    }
                    Event::ReaderTakes => {
                        let state = Arc::clone(&readers.borrow());
                        held = Some((Arc::clone(&state), CatalogState::clone(&state)));
                    }
                    Event::ReaderLetsGo => held = None,
                }
                prop_assert_eq!(copies.working(), &model);
                if let Some((shown, then)) = &held {
                    prop_assert_eq!(&**shown, then);
                }
            }
        }
    }

    #[test]
    fn only_a_reader_who_still_holds_the_old_copy_costs_a_clone() {
        let (mut copies, readers) = Copies::new();
        copies.pass(1);
        assert!(copies.publish());
        let held = Arc::clone(&readers.borrow());
        copies.pass(2);
        assert!(!copies.publish());
        drop(held);
        copies.pass(3);
        assert!(copies.publish());
        assert_eq!((readers.borrow().applied_index(), copies.working().applied_index()), (3, 3));
    }
}
