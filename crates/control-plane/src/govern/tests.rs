use super::*;
use catalog_state::{AccountLimits, CatalogReply, ClusterId, StreamMode};
use types::{StreamArn, StreamName, TimestampMs};

const PACE: Pace = Pace { changes: 4, transfers: 16 };

fn ids(nodes: impl IntoIterator<Item = u64>) -> BTreeSet<NodeId> {
    nodes.into_iter().map(NodeId).collect()
}

fn join(node: u64, catalog: u32, starts_over: bool) -> CatalogCommand {
    CatalogCommand::JoinNode {
        incarnation: node.into(),
        preferred: Some(NodeId(node)),
        api_addr: String::new(),
        peer_addr: String::new(),
        zone: String::new(),
        catalog,
        starts_over,
    }
}

/// A catalog of nodes 1 to `nodes` with one stream of three shards, on nodes 1 to 3 each, whose groups are 1 to 3.
struct World {
    catalog: CatalogState,
}

impl World {
    fn new(nodes: u64) -> World {
        let mut world = World { catalog: CatalogState::new() };
        let at = TimestampMs(1);
        world.command(&CatalogCommand::Initialise { cluster_id: ClusterId(1), iterator_key: [0; 32], at });
        for node in 1..=nodes {
            world.command(&join(node, 0, false));
        }
        let name = StreamName::parse("flights").unwrap();
        let created = world.command(&CatalogCommand::CreateStream {
            arn: StreamArn::new("us-east-1", "000000000000", name).unwrap(),
            shard_count: 3,
            mode: StreamMode::Provisioned,
            at,
            replication: 3,
            replicas: vec![
                vec![NodeId(1), NodeId(2), NodeId(3)],
                vec![NodeId(2), NodeId(3), NodeId(1)],
                vec![NodeId(3), NodeId(1), NodeId(2)],
            ],
            limits: AccountLimits::OFF,
        });
        assert_eq!(created, CatalogReply::Created { id: 1 });
        world
    }

    fn command(&mut self, command: &CatalogCommand) -> CatalogReply {
        self.catalog.apply(self.catalog.applied_index() + 1, command)
    }

    /// All nodes are up, node n leads group n, and nothing is amiss.
    fn view(&self) -> View {
        let alive: BTreeSet<NodeId> = self.catalog.nodes().keys().copied().collect();
        let report = |node: &NodeId| {
            let led = if node.0 <= 3 { vec![GroupId(node.0)] } else { Vec::new() };
            (*node, Report { led, ..Report::default() })
        };
        let voters = ids(1..=3);
        let learners = alive.difference(&voters).copied().collect();
        let reports = alive.iter().map(report).collect();
        View { reports, alive, catalog_leader: Some(NodeId(1)), voters, learners, ..View::default() }
    }

    fn orders(&self, view: &View) -> Vec<Order> {
        orders(&self.catalog, view, PACE)
    }

    fn carry_out(&mut self, order: &Order) {
        let Order::Propose(command) = order else { panic!("{order:?}") };
        let reply = self.command(command);
        assert!(!matches!(reply, CatalogReply::Refused(_)), "{command:?}: {reply:?}");
    }

    fn active() -> World {
        let mut world = World::new(3);
        let ready = world.orders(&world.view());
        assert_eq!(ready, [Order::Propose(CatalogCommand::StreamReady { id: 1 })]);
        world.carry_out(&ready[0]);
        world
    }
}

#[test]
fn a_stream_is_ready_when_somebody_leads_each_of_its_shards() {
    let world = World::new(3);
    let mut view = world.view();
    view.reports.get_mut(&NodeId(2)).unwrap().led.clear();
    assert_eq!(world.orders(&view), []);
    assert!(is_waiting(&world.catalog));
    let world = World::active();
    assert_eq!(world.orders(&world.view()), [], "all is as it should be");
    assert!(!is_waiting(&world.catalog));
}

#[test]
fn a_stream_is_forgotten_when_nothing_of_it_is_left_on_any_node_that_is_up() {
    let mut world = World::active();
    let name = StreamName::parse("flights").unwrap();
    world.command(&CatalogCommand::DeleteStream { name, at: TimestampMs(5) });
    let mut view = world.view();
    view.reports.get_mut(&NodeId(3)).unwrap().remains = vec![1];
    assert_eq!(world.orders(&view), []);
    view.reports.remove(&NodeId(3));
    assert_eq!(world.orders(&view), [], "a node that is up has to say so");
    view.alive.remove(&NodeId(3));
    assert_eq!(world.orders(&view), [Order::Propose(CatalogCommand::StreamGone { id: 1 })]);
}

#[test]
fn a_damaged_replica_gets_a_successor_on_its_node_while_the_others_are_a_majority() {
    let mut world = World::active();
    let mut view = world.view();
    let damaged = |node: u64| (GroupId(1), ReplicaId::new(NodeId(node), 0));
    view.reports.get_mut(&NodeId(2)).unwrap().damaged = vec![damaged(2)];
    let orders = world.orders(&view);
    let [Order::Propose(CatalogCommand::ChangeReplicas { group: GroupId(1), to, .. })] = &orders[..] else {
        panic!("{orders:?}")
    };
    let [a, b, c] = [(1, 0), (2, 1), (3, 0)].map(|(node, generation)| ReplicaId::new(NodeId(node), generation));
    assert_eq!(to, &[a, b, c]);
    world.carry_out(&orders[0]);
    assert_eq!(world.orders(&view), [], "one change at a time");

    let world = World::active();
    view.reports.get_mut(&NodeId(3)).unwrap().damaged = vec![damaged(3)];
    assert_eq!(world.orders(&view), [], "a damaged majority is refused, not replaced by what is left");
}

#[test]
fn what_a_lost_node_held_is_made_on_another() {
    let mut world = World::active();
    world.command(&join(4, 0, false));
    let mut view = world.view();
    view.alive.remove(&NodeId(3));
    view.reports.remove(&NodeId(3));
    let moves = |orders: &[Order]| {
        let change = |order: &Order| matches!(order, Order::Propose(CatalogCommand::ChangeReplicas { .. }));
        orders.iter().filter(|order| change(order)).count()
    };
    let balancing = moves(&world.orders(&world.view()));
    assert!(moves(&world.orders(&view)) <= balancing, "it may be back any moment");
    view.lost.insert(NodeId(3));
    assert_eq!(moves(&world.orders(&view)), 3);
    let members = world.orders(&view).into_iter().find(|order| matches!(order, Order::CatalogMembers { .. }));
    let expected = Order::CatalogMembers { voters: ids([1, 2, 4]), learners: ids([3]) };
    assert_eq!(members, Some(expected), "and it no longer votes on the catalog");
}

#[test]
fn a_draining_node_gives_its_leaders_away_and_a_leaving_one_goes_when_it_is_empty() {
    let mut world = World::active();
    world.command(&join(4, 0, false));
    world.command(&CatalogCommand::SetNodeState { id: NodeId(1), state: NodeState::Draining });
    let transfers = |orders: &[Order]| -> Vec<GroupId> {
        let away = |order: &Order| match order {
            Order::Transfer(transfer) if transfer.from == NodeId(1) => Some(transfer.group),
            _ => None,
        };
        orders.iter().filter_map(away).collect()
    };
    assert_eq!(transfers(&world.orders(&world.view())), [GroupId(1)]);
    let gives_catalog = Order::CatalogLeader { to: NodeId(2) };
    assert_eq!(world.orders(&world.view()).last(), Some(&gives_catalog), "after its shards");
    let mut view = world.view();
    view.catalog_leader = Some(NodeId(2));
    assert!(!world.orders(&view).contains(&gives_catalog));
    world.command(&CatalogCommand::SetNodeState { id: NodeId(4), state: NodeState::Leaving });
    let removal = Order::Propose(CatalogCommand::RemoveNode { id: NodeId(4) });
    assert!(world.orders(&world.view()).contains(&removal), "it holds nothing");
    let mut view = world.view();
    view.voters.insert(NodeId(4));
    assert!(!world.orders(&view).contains(&removal), "it still votes");
}

#[test]
fn a_node_that_has_lost_its_data_gets_all_its_replicas_anew() {
    let mut world = World::active();
    assert_eq!(world.command(&join(2, 1, true)), CatalogReply::Joined { id: NodeId(2) });
    let mut view = world.view();
    view.reports.get_mut(&NodeId(2)).unwrap().led.clear();
    view.reports.get_mut(&NodeId(3)).unwrap().led = vec![GroupId(2), GroupId(3)];
    view.outdated = ids([2]);
    let orders = world.orders(&view);
    let members = Order::CatalogMembers { voters: ids([1, 2, 3]), learners: ids([]) };
    assert!(orders.contains(&members), "its new replica of the catalog takes the place of the old one: {orders:?}");
    let leads = |order: &Order| matches!(order, Order::Transfer(transfer) if transfer.to == NodeId(2));
    assert!(!orders.iter().any(leads), "what it has lost it can't lead: {orders:?}");
    let changes: Vec<&Order> = orders.iter().filter(|order| matches!(order, Order::Propose(_))).collect();
    assert_eq!(changes.len(), 3);
    for (group, order) in (1..).map(GroupId).zip(changes) {
        let Order::Propose(CatalogCommand::ChangeReplicas { to, .. }) = order else { panic!("{order:?}") };
        let new = to.iter().find(|replica| replica.node() == NodeId(2));
        assert_eq!(new, Some(&ReplicaId::new(NodeId(2), 1)), "{group}");
        world.carry_out(order);
    }
    let to = world.catalog.shard_of_group(GroupId(1)).unwrap().1.target.clone().unwrap();
    world.command(&CatalogCommand::ReplicasChanged { group: GroupId(1), to });
    let shard = |world: &World, group| world.catalog.shard_of_group(GroupId(group)).unwrap().1.clone();
    assert!(shard(&world, 1).lost.is_empty());
    world.command(&CatalogCommand::SetNodeState { id: NodeId(2), state: NodeState::Draining });
    let rebuilt = |order: &&Order| matches!(order, Order::Propose(CatalogCommand::ChangeReplicas { .. }));
    assert_eq!(world.orders(&view).iter().filter(rebuilt).count(), 0, "a node that is to be stopped gets nothing new");
    // Lost again while what it was given was still on its way: that change can't be completed.
    assert_eq!(world.command(&join(2, 2, true)), CatalogReply::Joined { id: NodeId(2) });
    let abandoned = placement::abandoned(&world.catalog, &BTreeSet::new());
    assert_eq!(abandoned.iter().map(|abandoned| abandoned.group).collect::<Vec<_>>(), [GroupId(2), GroupId(3)]);
    view.outdated.clear();
    assert!(!world.orders(&view).contains(&members));
}
