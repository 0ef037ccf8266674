//! Sequences of commands that mostly make sense: changes of replicas are made from what the catalog holds by then.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;
use crate::ClusterId;

const LIMITS: AccountLimits = AccountLimits { provisioned_shards: 12, on_demand_streams: 1, creating_streams: 2 };

pub(crate) fn arn(name: &str) -> StreamArn {
    StreamArn::new("us-east-1", "000000000000", StreamName::parse(name).unwrap()).unwrap()
}

/// A command, or what it is to be once the catalog is known.
#[derive(Debug, Clone)]
enum Ask {
    Plain(CatalogCommand),
    /// Change the n-th shard: replace the replica at a place, or add or drop one, or only turn the order.
    Change {
        shard: usize,
        place: usize,
        node: u64,
        edit: Edit,
    },
    /// End the change of the n-th shard; `wrong` is one that isn't under way.
    End {
        shard: usize,
        abandon: bool,
        wrong: bool,
    },
}

#[derive(Debug, Clone, Copy)]
enum Edit {
    Replace,
    Add,
    Drop,
    Turn,
    OldNumber,
    Stale,
}

impl Ask {
    fn command(self, state: &CatalogState) -> CatalogCommand {
        match self {
            Ask::Plain(command) => command,
            Ask::Change { shard: n, place, node, edit } => {
                let Some(shard) = nth_shard(state, n) else { return CatalogCommand::StreamReady { id: 1 } };
                let (mut from, mut to) = (shard.replicas.clone(), shard.replicas.clone());
                let place = place % to.len();
                let next = shard.next_replica(NodeId(node)).unwrap();
                match edit {
                    Edit::Replace => to[place] = next,
                    Edit::Add => to.push(next),
                    Edit::Drop => drop(to.remove(place)),
                    Edit::Turn => to.rotate_left(place),
                    Edit::OldNumber => to[place] = ReplicaId::new(NodeId(node), place as u32),
                    Edit::Stale => drop(from.pop()),
                }
                CatalogCommand::ChangeReplicas { group: shard.group, from, to }
            }
            Ask::End { shard: n, abandon, wrong } => {
                let Some(shard) = nth_shard(state, n) else { return CatalogCommand::StreamReady { id: 1 } };
                let mut to = shard.target.clone().unwrap_or_else(|| shard.replicas.clone());
                if wrong {
                    to.reverse();
                }
                let group = shard.group;
                if abandon {
                    CatalogCommand::AbandonChange { group, to }
                } else {
                    CatalogCommand::ReplicasChanged { group, to }
                }
            }
        }
    }
}

/// One of the first three, so that some shards live through many changes.
fn nth_shard(state: &CatalogState, n: usize) -> Option<&Shard> {
    let count = state.shards().count().min(3);
    state.shards().nth(n.checked_rem(count)?).map(|(_, shard)| shard)
}

fn names() -> impl Strategy<Value = StreamArn> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(arn)
}

fn at() -> impl Strategy<Value = TimestampMs> {
    any::<u32>().prop_map(|ms| TimestampMs(u64::from(ms)))
}

fn on_streams() -> impl Strategy<Value = CatalogCommand> {
    let mode = prop::sample::select(vec![StreamMode::Provisioned, StreamMode::OnDemand]);
    let direction = prop::sample::select(vec![RetentionChange::Increase, RetentionChange::Decrease]);
    let hours = prop::sample::select(vec![0u32, 23, 24, 25, 48, 8_760, 8_761, u32::MAX]);
    let replicas = prop_oneof![
        8 => Just(vec![vec![NodeId(1)], vec![NodeId(2), NodeId(3)]]),
        4 => vec(vec((1u64..5).prop_map(NodeId), 0..4), 0..3),
    ];
    let replication = prop_oneof![8 => 2u8..5, 1 => any::<u8>()];
    prop_oneof![
        6 => (names(), 0u32..6, mode, at(), replication, replicas).prop_map(
            |(arn, shard_count, mode, at, replication, replicas)| CatalogCommand::CreateStream {
                arn, shard_count, mode, at, replication, replicas, limits: LIMITS,
            }
        ),
        6 => (1u64..8).prop_map(|id| CatalogCommand::StreamReady { id }),
        3 => (names(), at()).prop_map(|(arn, at)| CatalogCommand::DeleteStream { name: arn.name().clone(), at }),
        3 => (1u64..8).prop_map(|id| CatalogCommand::StreamGone { id }),
        3 => (names(), hours, direction).prop_map(|(arn, hours, direction)| {
            CatalogCommand::SetRetention { name: arn.name().clone(), hours, direction }
        }),
    ]
}

fn on_nodes() -> impl Strategy<Value = CatalogCommand> {
    let id = || (1u64..6).prop_map(NodeId);
    let preferred = prop_oneof![
        4 => Just(None),
        4 => id().prop_map(Some),
        1 => prop::sample::select(vec![0, 9, (1 << 32) - 1, 1 << 32]).prop_map(|id| Some(NodeId(id))),
    ];
    let state = prop::sample::select(vec![NodeState::Active, NodeState::Draining, NodeState::Leaving]);
    prop_oneof![
        4 => (0u128..8, preferred, 0u8..3).prop_map(|(incarnation, preferred, n)| join(incarnation, preferred, n, 0)),
        1 => (0u128..8, 0u8..3, 0u32..3).prop_map(|(incarnation, n, catalog)| join(incarnation, None, n, catalog)),
        2 => (1u128..5, 0u8..3, 0u32..3).prop_map(|(incarnation, n, catalog)| over(incarnation, n, catalog)),
        3 => (id(), state).prop_map(|(id, state)| CatalogCommand::SetNodeState { id, state }),
        2 => id().prop_map(|id| CatalogCommand::RemoveNode { id }),
    ]
}

fn join(incarnation: u128, preferred: Option<NodeId>, n: u8, catalog: u32) -> CatalogCommand {
    let (api_addr, peer_addr) = (format!("api{n}:1"), format!("peer{n}:2"));
    CatalogCommand::JoinNode {
        incarnation,
        preferred,
        api_addr,
        peer_addr,
        zone: format!("zone-{n}"),
        catalog,
        starts_over: false,
    }
}

fn over(incarnation: u128, n: u8, catalog: u32) -> CatalogCommand {
    match join(incarnation, None, n, catalog) {
        CatalogCommand::JoinNode { incarnation, preferred, api_addr, peer_addr, zone, catalog, .. } => {
            CatalogCommand::JoinNode { incarnation, preferred, api_addr, peer_addr, zone, catalog, starts_over: true }
        }
        other => other,
    }
}

fn on_replicas() -> impl Strategy<Value = Ask> {
    let edits = vec![Edit::Replace, Edit::Replace, Edit::Add, Edit::Drop, Edit::Turn, Edit::OldNumber, Edit::Stale];
    let change = (0usize..3, 0usize..4, 1u64..6, prop::sample::select(edits));
    prop_oneof![
        3 => change.prop_map(|(shard, place, node, edit)| Ask::Change { shard, place, node, edit }),
        2 => (0usize..3, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(shard, abandon, wrong)| Ask::End { shard, abandon, wrong }),
    ]
}

pub(crate) fn commands() -> impl Strategy<Value = Vec<CatalogCommand>> {
    let initialise =
        |id| CatalogCommand::Initialise { cluster_id: ClusterId(id), iterator_key: [7; 32], at: TimestampMs(1) };
    let ask = prop_oneof![
        1 => (0u128..2).prop_map(move |id| Ask::Plain(initialise(id))),
        12 => on_streams().prop_map(Ask::Plain),
        6 => on_nodes().prop_map(Ask::Plain),
        16 => on_replicas(),
    ];
    (vec(ask, 0..80), prop::bool::weighted(0.9)).prop_map(move |(mut asks, as_clusters_begin)| {
        // The other runs show that nothing works before.
        if as_clusters_begin {
            let joins = (1..5u8).map(|n| join(u128::from(n), None, n, 0));
            asks.splice(0..0, [initialise(1)].into_iter().chain(joins).map(Ask::Plain));
        }
        let mut state = CatalogState::new();
        let made = (1..).zip(asks).map(|(index, ask)| {
            let command = ask.command(&state);
            state.apply(index, &command);
            command
        });
        made.collect()
    })
}
