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
        replicas: vec![vec![NodeId(1)]],
        limits: AccountLimits::default(),
    }
}

fn initialised() -> CatalogState {
    let mut state = CatalogState::new();
    assert_eq!(state.apply(1, &initialise(7)), CatalogReply::Done);
    state
}

#[test]
fn the_first_identity_stays() {
    let mut state = initialised();
    assert_eq!(state.apply(2, &initialise(7)), CatalogReply::Done);
    let refused = CatalogReply::Refused(CatalogError::AlreadyInitialised(ClusterId(7)));
    assert_eq!(state.apply(3, &initialise(8)), refused);
    assert_eq!(state.cluster().unwrap().id, ClusterId(7));
}

#[test]
fn a_stream_of_a_deleted_streams_name_shares_nothing_with_it() {
    let mut state = initialised();
    state.apply(2, &create("flights", 2));
    state.apply(3, &CatalogCommand::StreamReady { id: 1 });
    let old: Vec<GroupId> = state.shards().map(|(_, shard)| shard.group).collect();
    let name = arn("flights").name().clone();
    state.apply(4, &CatalogCommand::DeleteStream { name, at: TimestampMs(6_000) });
    assert_eq!(state.apply(5, &create("flights", 2)), CatalogReply::Refused(CatalogError::AlreadyExists));
    state.apply(6, &CatalogCommand::StreamGone { id: 1 });
    assert_eq!(state.apply(7, &create("flights", 2)), CatalogReply::Created { id: 2 });
    assert!(old.iter().all(|group| state.shard_of_group(*group).is_none()));
}

#[test]
fn the_default_account_holds_2000_shards() {
    let mut state = initialised();
    assert_eq!(state.apply(2, &create("wide", 2_000)), CatalogReply::Created { id: 1 });
    let refused = CatalogError::ShardLimitExceeded { current: 2_000, limit: 2_000, asked: 1 };
    assert_eq!(state.apply(3, &create("more", 1)), CatalogReply::Refused(refused));
    assert_eq!(state.check(), Ok(()));
}

#[test]
fn two_replicas_on_one_node_are_refused() {
    let mut state = initialised();
    let mut command = create("flights", 1);
    for bad in [vec![], vec![vec![]], vec![vec![NodeId(1), NodeId(1)]]] {
        let CatalogCommand::CreateStream { replicas, .. } = &mut command else { panic!("not a create") };
        *replicas = bad;
        let reply = state.apply(state.applied_index() + 1, &command);
        assert_eq!(reply, CatalogReply::Refused(CatalogError::NoReplicas));
    }
}

#[test]
fn a_hole_or_an_overlap_of_shards_is_found() {
    let mut state = initialised();
    state.apply(2, &create("flights", 3));
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
    for (i, name) in ["b", "a", "c"].into_iter().enumerate() {
        state.apply(i as u64 + 2, &create(name, 1));
    }
    let page: Vec<_> = state.streams_after(arn("a").name()).map(|stream| stream.name().to_string()).collect();
    assert_eq!(page, ["b", "c"]);
    assert_eq!(state.streams_after(arn("bb").name()).count(), 1);
}
