use super::model::arn;
use super::*;
use crate::ClusterId;

fn initialise(id: u128) -> CatalogCommand {
    CatalogCommand::Initialise { cluster_id: ClusterId(id), iterator_key: [9; 32], at: TimestampMs(1) }
}

fn create(name: &str, shard_count: u32) -> CatalogCommand {
    CatalogCommand::CreateStream {
        arn: arn(name),
        shard_count,
        mode: StreamMode::Provisioned,
        at: TimestampMs(5_000),
        replication: 3,
        replicas: vec![vec![NodeId(1)]],
        limits: AccountLimits::default(),
    }
}

fn initialised() -> CatalogState {
    let mut state = CatalogState::new();
    assert_eq!(state.apply(1, &initialise(7)), CatalogReply::Done);
    assert_eq!(state.apply(2, &join(100, Some(1))), CatalogReply::Joined { id: NodeId(1) });
    state
}

fn join(incarnation: u128, preferred: Option<u64>) -> CatalogCommand {
    CatalogCommand::JoinNode {
        incarnation,
        preferred: preferred.map(NodeId),
        api_addr: "api:1".into(),
        peer_addr: "peer:2".into(),
        zone: String::new(),
        catalog: 0,
        starts_over: false,
    }
}

/// Applies a command at the next index.
fn next(state: &mut CatalogState, command: &CatalogCommand) -> CatalogReply {
    let reply = state.apply(state.applied_index() + 1, command);
    assert_eq!(state.check(), Ok(()));
    reply
}

#[test]
fn the_first_identity_stays() {
    let mut state = initialised();
    assert_eq!(next(&mut state, &initialise(7)), CatalogReply::Done);
    let refused = CatalogReply::Refused(CatalogError::AlreadyInitialised(ClusterId(7)));
    assert_eq!(next(&mut state, &initialise(8)), refused);
    assert_eq!(state.cluster().unwrap().id, ClusterId(7));
}

#[test]
fn a_stream_of_a_deleted_streams_name_shares_nothing_with_it() {
    let mut state = initialised();
    next(&mut state, &create("flights", 2));
    next(&mut state, &CatalogCommand::StreamReady { id: 1 });
    let old: Vec<GroupId> = state.shards().map(|(_, shard)| shard.group).collect();
    let name = arn("flights").name().clone();
    next(&mut state, &CatalogCommand::DeleteStream { name, at: TimestampMs(6_000) });
    assert_eq!(next(&mut state, &create("flights", 2)), CatalogReply::Refused(CatalogError::AlreadyExists));
    next(&mut state, &CatalogCommand::StreamGone { id: 1 });
    assert_eq!(next(&mut state, &create("flights", 2)), CatalogReply::Created { id: 2 });
    assert!(old.iter().all(|group| state.shard_of_group(*group).is_none()));
}

#[test]
fn the_default_account_holds_2000_shards() {
    let mut state = initialised();
    assert_eq!(next(&mut state, &create("wide", 2_000)), CatalogReply::Created { id: 1 });
    let refused = CatalogError::ShardLimitExceeded { current: 2_000, limit: 2_000, asked: 1 };
    assert_eq!(next(&mut state, &create("more", 1)), CatalogReply::Refused(refused));
}

#[test]
fn no_account_may_have_more_shards_than_a_node_can_open() {
    let unlimited = |name: &str, shards| match create(name, shards) {
        CatalogCommand::CreateStream { arn, shard_count, mode, at, replication, replicas, .. } => {
            let limits = AccountLimits::OFF;
            CatalogCommand::CreateStream { arn, shard_count, mode, at, replication, replicas, limits }
        }
        other => other,
    };
    let mut state = initialised();
    let refused =
        |current, limit, asked| CatalogReply::Refused(CatalogError::ShardLimitExceeded { current, limit, asked });
    assert_eq!(next(&mut state, &unlimited("typo", 20_000_000)), refused(0, 10_000, 20_000_000));
    for id in 1..11 {
        let name = format!("wide{id}");
        assert_eq!(next(&mut state, &unlimited(&name, 10_000)), CatalogReply::Created { id });
    }
    assert_eq!(next(&mut state, &unlimited("more", 1)), refused(100_000, 100_000, 1));
}

#[test]
fn two_replicas_on_one_node_are_refused() {
    let mut state = initialised();
    let mut command = create("flights", 1);
    for bad in [vec![], vec![vec![]], vec![vec![NodeId(1), NodeId(1)]]] {
        let CatalogCommand::CreateStream { replicas, .. } = &mut command else { panic!("not a create") };
        *replicas = bad;
        assert_eq!(next(&mut state, &command), CatalogReply::Refused(CatalogError::InvalidReplicas));
    }
}

#[test]
fn a_shard_on_a_node_that_has_not_joined_is_refused() {
    let mut state = initialised();
    let mut command = create("flights", 1);
    let CatalogCommand::CreateStream { replicas, .. } = &mut command else { panic!("not a create") };
    *replicas = vec![vec![NodeId(1), NodeId(2)]];
    assert_eq!(next(&mut state, &command), CatalogReply::Refused(CatalogError::UnknownNode(NodeId(2))));
}

#[test]
fn a_node_is_known_by_its_data_directory_and_no_number_comes_back() {
    let mut state = initialised();
    let joined = |id| CatalogReply::Joined { id: NodeId(id) };
    assert_eq!(next(&mut state, &join(105, Some(5))), joined(5));
    assert_eq!(next(&mut state, &join(103, Some(3))), joined(3), "a lower number that nobody had");
    assert_eq!(next(&mut state, &join(106, None)), joined(6));
    assert_eq!(next(&mut state, &join(105, Some(7))), joined(5), "the same directory");
    let taken = |id| CatalogReply::Refused(CatalogError::NodeIdTaken(NodeId(id)));
    assert_eq!(next(&mut state, &join(999, Some(5))), taken(5));
    let remove = CatalogCommand::RemoveNode { id: NodeId(5) };
    let active = CatalogError::WrongNodeState { id: NodeId(5), state: NodeState::Active };
    assert_eq!(next(&mut state, &remove), CatalogReply::Refused(active));
    next(&mut state, &CatalogCommand::SetNodeState { id: NodeId(5), state: NodeState::Leaving });
    assert_eq!(next(&mut state, &join(105, None)), joined(5), "it restarts on its way out");
    assert_eq!(state.nodes()[&NodeId(5)].state, NodeState::Leaving);
    assert_eq!(next(&mut state, &remove), CatalogReply::Done);
    assert_eq!(next(&mut state, &remove), CatalogReply::Done);
    assert_eq!(next(&mut state, &join(105, None)), CatalogReply::Refused(CatalogError::NodeRemoved(NodeId(5))));
    assert_eq!(next(&mut state, &join(999, Some(5))), taken(5));
    assert_eq!(next(&mut state, &join(999, None)), joined(7));
}

#[test]
fn a_lost_replica_is_replaced_on_its_node_and_one_that_failed_to_come_leaves_its_number_used() {
    let mut state = initialised();
    next(&mut state, &join(102, None));
    next(&mut state, &create("flights", 1));
    let group = GroupId(1);
    let shard = |state: &CatalogState| state.shard_of_group(group).unwrap().1.clone();
    let on = |node, generation| ReplicaId::new(NodeId(node), generation);
    let change = |to: &[ReplicaId], state: &CatalogState| CatalogCommand::ChangeReplicas {
        group,
        from: shard(state).replicas,
        to: to.to_vec(),
    };

    let command = change(&[on(1, 0), on(2, 0)], &state);
    assert_eq!(next(&mut state, &command), CatalogReply::Done);
    assert_eq!(next(&mut state, &command), CatalogReply::Done, "the same intent again");
    assert_eq!((shard(&state).voter_on(NodeId(2)), shard(&state).hosted_on(NodeId(2))), (None, Some(on(2, 0))));
    let other = change(&[on(2, 0)], &state);
    assert_eq!(next(&mut state, &other), CatalogReply::Refused(CatalogError::ReplicasDiffer(group)));
    next(&mut state, &CatalogCommand::AbandonChange { group, to: vec![on(1, 0), on(2, 0)] });
    let used = CatalogError::WrongReplica { asked: on(2, 0), next: on(2, 1) };
    assert_eq!(next(&mut state, &command), CatalogReply::Refused(used));

    let to = vec![on(1, 1), on(2, 1)];
    let command = change(&to, &state);
    assert_eq!(next(&mut state, &command), CatalogReply::Done);
    assert_eq!(shard(&state).replicas, [on(1, 0)]);
    assert_eq!(shard(&state).hosted(), to);
    let done = CatalogCommand::ReplicasChanged { group, to: to.clone() };
    assert_eq!(next(&mut state, &done), CatalogReply::Done);
    assert_eq!(next(&mut state, &done), CatalogReply::Done);
    assert_eq!((shard(&state).replicas, shard(&state).target), (to, None));
    assert!(shard(&state).generations.is_empty(), "what follows from the replicas is not stored");

    next(&mut state, &CatalogCommand::SetNodeState { id: NodeId(2), state: NodeState::Leaving });
    let remove = CatalogCommand::RemoveNode { id: NodeId(2) };
    let in_use = CatalogError::NodeInUse { id: NodeId(2), group };
    assert_eq!(next(&mut state, &remove), CatalogReply::Refused(in_use));
    let command = change(&[on(1, 1)], &state);
    next(&mut state, &command);
    next(&mut state, &CatalogCommand::ReplicasChanged { group, to: vec![on(1, 1)] });
    assert_eq!(next(&mut state, &remove), CatalogReply::Done);
    assert!(shard(&state).generations.is_empty(), "nobody asks for a removed node's numbers");
}

#[test]
fn a_replica_on_a_stranger_or_two_on_one_node_are_found() {
    let mut state = initialised();
    next(&mut state, &create("flights", 1));
    let name = arn("flights").name().clone();
    let changed = |change: &dyn Fn(&mut Shard)| {
        let mut state = state.clone();
        change(state.streams.get_mut(&name).unwrap().shards.get_mut(&ShardId(0)).unwrap());
        state.check()
    };
    let on = |node, generation| ReplicaId::new(NodeId(node), generation);
    assert_eq!(changed(&|_| ()), Ok(()));
    assert!(changed(&|shard| shard.replicas.push(on(2, 0))).is_err());
    assert!(changed(&|shard| shard.replicas.push(on(1, 1))).is_err());
    assert!(changed(&|shard| shard.replicas.clear()).is_err());
    assert!(changed(&|shard| shard.target = Some(shard.replicas.clone())).is_err());
    assert_eq!(changed(&|shard| shard.target = Some(vec![on(1, 1)])), Ok(()));
    assert!(
        changed(&|shard| {
            shard.generations.insert(NodeId(1), 2);
            shard.target = Some(vec![on(1, 1)]);
        })
        .is_err()
    );
    let mut twice = state.clone();
    twice.removed_nodes.insert(NodeId(1), 7);
    assert!(twice.check().is_err());
}

#[test]
fn a_hole_or_an_overlap_of_shards_is_found() {
    let mut state = initialised();
    next(&mut state, &create("flights", 3));
    let name = arn("flights").name().clone();
    let changed = |change: &dyn Fn(&mut Stream)| {
        let mut state = state.clone();
        change(state.streams.get_mut(&name).unwrap());
        state.check()
    };
    assert_eq!(changed(&|_| ()), Ok(()));
    assert!(changed(&|stream| drop(stream.shards.remove(&ShardId(1)))).is_err());
    assert!(changed(&|stream| stream.shards.get_mut(&ShardId(1)).unwrap().range.start.0 -= 1).is_err());
    assert!(changed(&|stream| stream.shards.get_mut(&ShardId(1)).unwrap().group = GroupId(1)).is_err());
    assert!(changed(&|stream| stream.id = 9).is_err());
}

#[test]
#[should_panic(expected = "applied twice")]
fn an_entry_applied_twice_stops_the_replica() {
    let mut state = initialised();
    state.apply(1, &create("flights", 1));
}

#[test]
fn the_next_page_begins_after_a_name() {
    let mut state = initialised();
    for name in ["b", "a", "c"] {
        next(&mut state, &create(name, 1));
    }
    let page: Vec<_> = state.streams_after(arn("a").name()).map(|stream| stream.name().to_string()).collect();
    assert_eq!(page, ["b", "c"]);
    assert_eq!(state.streams_after(arn("bb").name()).count(), 1);
}

fn again(incarnation: u128, catalog: u32, starts_over: bool) -> CatalogCommand {
    match join(incarnation, None) {
        CatalogCommand::JoinNode { incarnation, preferred, api_addr, peer_addr, zone, .. } => {
            CatalogCommand::JoinNode { incarnation, preferred, api_addr, peer_addr, zone, catalog, starts_over }
        }
        other => other,
    }
}

/// Three nodes, of incarnations 100 to 102, with a stream on all of them.
fn of_three() -> CatalogState {
    let mut state = initialised();
    next(&mut state, &join(101, Some(2)));
    next(&mut state, &join(102, Some(3)));
    let CatalogCommand::CreateStream { arn, shard_count, mode, at, replication, limits, .. } = create("flights", 2)
    else {
        panic!("no create")
    };
    let replicas = vec![vec![NodeId(1), NodeId(2), NodeId(3)]];
    next(&mut state, &CatalogCommand::CreateStream { arn, shard_count, mode, at, replication, replicas, limits });
    next(&mut state, &CatalogCommand::StreamReady { id: 1 });
    state
}

#[test]
fn a_node_that_starts_over_has_lost_what_it_held_and_each_generation_is_taken_once() {
    let mut state = of_three();
    let joined = CatalogReply::Joined { id: NodeId(1) };
    let old = |catalog| CatalogReply::Refused(CatalogError::OldData { id: NodeId(1), catalog });
    assert_eq!(next(&mut state, &again(100, 0, false)), joined);
    assert_eq!(next(&mut state, &again(100, 1, false)), old(0));
    assert_eq!(next(&mut state, &again(100, 2, true)), old(0));
    assert!(state.shards().all(|(_, shard)| shard.lost.is_empty()));
    assert_eq!(next(&mut state, &again(100, 1, true)), joined);
    assert!(state.shards().all(|(_, shard)| shard.lost == [ReplicaId(1)].into()));
    assert_eq!(next(&mut state, &again(100, 0, false)), old(1), "an older directory");
    assert_eq!(next(&mut state, &again(100, 1, true)), old(1), "asked twice");
    next(&mut state, &create("later", 1));
    assert_eq!(next(&mut state, &again(100, 1, false)), joined);
    let lost = state.shards().filter(|(_, shard)| !shard.lost.is_empty()).count();
    assert_eq!(lost, 2, "what it was given since is not lost");
    assert_eq!(next(&mut state, &again(999, 1, true)), CatalogReply::Refused(CatalogError::Unknown));
}

#[test]
fn nobody_starts_over_whose_data_a_shard_needs() {
    let mut state = of_three();
    let needed = |id, group| CatalogReply::Refused(CatalogError::StillNeeded { id: NodeId(id), group: GroupId(group) });
    assert_eq!(next(&mut state, &again(100, 1, true)), CatalogReply::Joined { id: NodeId(1) });
    assert_eq!(next(&mut state, &again(101, 1, true)), needed(2, 1), "the first one has nothing yet");
    assert_eq!(next(&mut state, &again(100, 2, true)), CatalogReply::Joined { id: NodeId(1) }, "it had nothing anyway");
    let new = ReplicaId::new(NodeId(1), 1);
    for group in [GroupId(1), GroupId(2)] {
        let (from, to) = (vec![ReplicaId(1), ReplicaId(2), ReplicaId(3)], vec![new, ReplicaId(2), ReplicaId(3)]);
        assert_eq!(
            next(&mut state, &CatalogCommand::ChangeReplicas { group, from, to: to.clone() }),
            CatalogReply::Done
        );
        assert_eq!(next(&mut state, &again(101, 1, true)), needed(2, group.0), "it is still on its way");
        assert_eq!(next(&mut state, &CatalogCommand::ReplicasChanged { group, to }), CatalogReply::Done);
        if group == GroupId(1) {
            assert_eq!(next(&mut state, &again(101, 1, true)), needed(2, 2));
        }
    }
    assert_eq!(next(&mut state, &again(101, 1, true)), CatalogReply::Joined { id: NodeId(2) });
    // One that is being made anew on its node has nothing to give.
    let mut state = of_three();
    let from = vec![ReplicaId(1), ReplicaId(2), ReplicaId(3)];
    let to = vec![ReplicaId(1), ReplicaId::new(NodeId(2), 1), ReplicaId(3)];
    next(&mut state, &CatalogCommand::ChangeReplicas { group: GroupId(1), from, to });
    assert_eq!(next(&mut state, &again(100, 1, true)), needed(1, 1));
    // The only copy of what was acknowledged.
    let mut alone = initialised();
    next(&mut alone, &create("flights", 1));
    assert_eq!(next(&mut alone, &again(100, 1, true)), CatalogReply::Joined { id: NodeId(1) }, "no records yet");
    let mut alone = initialised();
    next(&mut alone, &create("flights", 1));
    next(&mut alone, &CatalogCommand::StreamReady { id: 1 });
    assert_eq!(next(&mut alone, &again(100, 1, true)), needed(1, 1));
}
