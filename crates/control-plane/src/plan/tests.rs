use super::*;
use catalog_state::{AccountLimits, CatalogCommand, CatalogReply, ClusterId, RetentionChange, StreamMode};
use proptest::collection::vec;
use proptest::prelude::*;
use types::{StreamArn, StreamName, TimestampMs};

const NODE: NodeId = NodeId(1);
/// The replica of every shard here.
const FIRST: ReplicaId = ReplicaId::new(NODE, 0);

fn name(n: u8) -> StreamName {
    StreamName::parse(&format!("s{n}")).unwrap()
}

fn create(n: u8, shard_count: u32) -> CatalogCommand {
    CatalogCommand::CreateStream {
        arn: StreamArn::new("us-east-1", "000000000000", name(n)).unwrap(),
        shard_count,
        mode: StreamMode::Provisioned,
        at: TimestampMs(5_000),
        replication: 1,
        replicas: vec![vec![NODE]],
        limits: AccountLimits::OFF,
    }
}

/// A catalog and a node that carries out what the plan says, unless it fails.
struct World {
    catalog: CatalogState,
    actual: Actual,
    stored: Actual,
}

impl World {
    fn new() -> World {
        let mut world = World { catalog: CatalogState::new(), actual: Actual::new(), stored: Actual::new() };
        world.command(&CatalogCommand::Initialise {
            cluster_id: ClusterId(1),
            iterator_key: [0; 32],
            at: TimestampMs(1),
        });
        let (api_addr, peer_addr, zone) = (String::new(), String::new(), String::new());
        let preferred = Some(NODE);
        world.command(&CatalogCommand::JoinNode {
            incarnation: 1,
            preferred,
            api_addr,
            peer_addr,
            zone,
            catalog: 0,
            starts_over: false,
        });
        world
    }

    fn command(&mut self, command: &CatalogCommand) -> CatalogReply {
        self.catalog.apply(self.catalog.applied_index() + 1, command)
    }

    /// Carries out one step; what fails changes nothing, except that an open that fails may leave data.
    fn carry_out(&mut self, action: &Action, works: bool) {
        if !works {
            if let Action::Open(open) = action {
                self.actual.insert((open.group, open.replica), Hosted::Stored);
            }
            return;
        }
        succeeded(&mut self.actual, action);
        self.stored = self.actual.keys().map(|place| (*place, Hosted::Stored)).collect();
    }

    fn plan(&self) -> Vec<Action> {
        plan(&self.catalog, &self.actual, NODE, true)
    }

    /// What the governor does for streams, as far as this node is concerned.
    fn govern(&mut self) {
        let waiting: Vec<(u64, StreamStatus, Vec<Place>)> = self
            .catalog
            .streams()
            .map(|stream| {
                (stream.id, stream.status, stream.shards.values().map(|shard| (shard.group, FIRST)).collect())
            })
            .collect();
        for (id, status, places) in waiting {
            let runs = |place: &Place| matches!(self.actual.get(place), Some(Hosted::Open { .. }));
            let remains = |place: &Place| self.actual.contains_key(place);
            let command = match status {
                StreamStatus::Creating if places.iter().all(runs) => CatalogCommand::StreamReady { id },
                StreamStatus::Deleting if !places.iter().any(remains) => CatalogCommand::StreamGone { id },
                _ => continue,
            };
            assert_eq!(self.command(&command), CatalogReply::Done);
        }
    }

    fn round(&mut self, works: impl Fn(usize) -> bool) -> usize {
        let actions = self.plan();
        for (i, action) in actions.iter().enumerate() {
            self.carry_out(action, works(i));
        }
        self.govern();
        actions.len()
    }

    fn settle(&mut self) {
        for _ in 0..10 {
            if self.round(|_| true) == 0 {
                return;
            }
        }
        panic!("the plan never ends: {:?}", self.plan());
    }

    fn check_settled(&self) {
        let expected: Actual = self
            .catalog
            .shards()
            .map(|(stream, shard)| {
                let retention_ms = u64::from(stream.retention_hours) * 3_600_000;
                ((shard.group, FIRST), Hosted::Open { retention_ms })
            })
            .collect();
        assert_eq!(self.actual, expected);
        assert!(self.catalog.streams().all(|stream| stream.status == StreamStatus::Active));
    }
}

#[test]
fn a_stream_is_ready_only_when_all_its_groups_run() {
    let mut world = World::new();
    world.command(&create(0, 3));
    assert_eq!(world.round(|i| i != 1), 3);
    let status = |world: &World| world.catalog.stream(&name(0)).unwrap().status;
    assert!(matches!(world.plan()[..], [Action::Open(_)]));
    assert_eq!(status(&world), StreamStatus::Creating);
    world.settle();
    assert_eq!(status(&world), StreamStatus::Active);
}

#[test]
fn a_damaged_shard_stops_neither_the_others_nor_the_plan() {
    let mut world = World::new();
    world.command(&create(0, 2));
    world.settle();
    let damaged = *world.actual.keys().next().unwrap();
    world.actual = world.stored.clone();
    world.actual.insert(damaged, Hosted::Damaged);
    assert_eq!(world.round(|_| true), 1);
    assert_eq!(world.round(|_| true), 0);
    world.command(&CatalogCommand::DeleteStream { name: name(0), at: TimestampMs(2) });
    world.settle();
    world.check_settled();
}

#[test]
fn groups_that_the_catalog_does_not_know_are_dropped() {
    let mut world = World::new();
    world.command(&create(0, 3));
    world.settle();
    world.command(&CatalogCommand::DeleteStream { name: name(0), at: TimestampMs(2) });
    world.settle();
    world.actual.insert((GroupId(2), FIRST), Hosted::Stored);
    assert_eq!(world.plan(), [Action::Drop((GroupId(2), FIRST))]);
    // Unless the catalog here may be older than what was done by it.
    assert_eq!(plan(&world.catalog, &world.actual, NODE, false), []);
}

#[test]
fn a_group_that_an_older_catalog_cannot_know_is_left_alone() {
    let mut world = World::new();
    world.command(&create(0, 3));
    world.settle();
    world.actual.insert((GroupId(4), FIRST), Hosted::Stored);
    assert_eq!(world.plan(), []);
}

#[test]
fn shards_of_other_nodes_are_left_to_them() {
    let mut world = World::new();
    world.command(&create(0, 2));
    assert!(
        !plan(&world.catalog, &world.actual, NodeId(2), true).iter().any(|action| matches!(action, Action::Open(_)))
    );
}

#[test]
fn a_replica_that_was_replaced_on_its_own_node_goes_and_the_next_one_waits_to_be_told_of_its_group() {
    let mut world = World::new();
    world.command(&create(0, 1));
    let [Action::Open(first)] = &world.plan()[..] else { panic!("{:?}", world.plan()) };
    assert_eq!((first.replica, &first.founders[..]), (FIRST, &[FIRST][..]));
    world.settle();
    let next = FIRST.next().unwrap();
    let change = CatalogCommand::ChangeReplicas { group: GroupId(1), from: vec![FIRST], to: vec![next] };
    assert_eq!(world.command(&change), CatalogReply::Done);
    let actions = world.plan();
    let [Action::Open(open), Action::Drop(dropped)] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!((open.replica, &open.founders[..]), (next, &[][..]), "the group has been formed");
    assert_eq!(*dropped, (GroupId(1), FIRST));
}

#[derive(Debug, Clone)]
enum Event {
    Create(u8, u32),
    Delete(u8),
    Retention(u8, bool),
    Round(u64),
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0u8..4, 1u32..4).prop_map(|(n, shards)| Event::Create(n, shards)),
        2 => (0u8..4).prop_map(Event::Delete),
        1 => (0u8..4, any::<bool>()).prop_map(|(n, up)| Event::Retention(n, up)),
        4 => any::<u64>().prop_map(Event::Round),
        1 => Just(Event::Restart),
    ];
    vec(event, 0..50)
}

proptest! {
    #[test]
    fn whatever_fails_on_the_way_the_node_ends_with_exactly_what_the_catalog_wants(events in events()) {
        let mut world = World::new();
        for event in events {
            match event {
                Event::Create(n, shards) => drop(world.command(&create(n, shards))),
                Event::Delete(n) => {
                    world.command(&CatalogCommand::DeleteStream { name: name(n), at: TimestampMs(9) });
                }
                Event::Retention(n, up) => {
                    let direction = if up { RetentionChange::Increase } else { RetentionChange::Decrease };
                    let hours = if up { 48 } else { 24 };
                    world.command(&CatalogCommand::SetRetention { name: name(n), hours, direction });
                }
                Event::Round(works) => {
                    world.round(|i| works >> (i % 64) & 1 == 1);
                }
                Event::Restart => world.actual = world.actual.keys().map(|place| (*place, Hosted::Stored)).collect(),
            }
        }
        world.settle();
        world.check_settled();
    }

    #[test]
    fn a_group_is_dropped_only_if_no_living_stream_has_it(events in events()) {
        let mut world = World::new();
        for event in events {
            match event {
                Event::Create(n, shards) => drop(world.command(&create(n, shards))),
                Event::Delete(n) => {
                    world.command(&CatalogCommand::DeleteStream { name: name(n), at: TimestampMs(9) });
                }
                Event::Round(works) => {
                    world.round(|i| works >> (i % 64) & 1 == 1);
                }
                _ => {}
            }
            for action in world.plan() {
                let Action::Drop((group, _)) = action else { continue };
                let living = world.catalog.shard_of_group(group).map(|(stream, _)| stream.status);
                prop_assert!(matches!(living, None | Some(StreamStatus::Deleting)), "{group} of a {living:?} stream");
            }
        }
    }
}
