//! The state machine against a naive model: a list of streams, by name.

use super::*;
use crate::ClusterId;
use proptest::collection::vec;
use proptest::prelude::*;

const LIMITS: AccountLimits = AccountLimits { provisioned_shards: 12, on_demand_streams: 1, creating_streams: 2 };

#[derive(Debug, Clone)]
struct Plain {
    id: u64,
    name: StreamName,
    status: StreamStatus,
    on_demand: bool,
    shards: u32,
    retention: u32,
}

#[derive(Default)]
struct Model {
    cluster: Option<u128>,
    streams: Vec<Plain>,
    created: u64,
}

impl Model {
    fn apply(&mut self, command: &CatalogCommand) -> CatalogReply {
        let refused = CatalogReply::Refused;
        match command {
            CatalogCommand::Initialise { cluster_id, .. } => match *self.cluster.get_or_insert(cluster_id.0) {
                known if known == cluster_id.0 => CatalogReply::Done,
                known => refused(CatalogError::AlreadyInitialised(ClusterId(known))),
            },
            CatalogCommand::RegisterNode { .. } => CatalogReply::Done,
            CatalogCommand::CreateStream { arn, shard_count, mode, .. } => {
                match self.why_not_create(arn.name(), *shard_count, *mode) {
                    Some(error) => refused(error),
                    None => self.create(arn.name(), *shard_count, *mode),
                }
            }
            CatalogCommand::StreamReady { id } => match self.streams.iter_mut().find(|stream| stream.id == *id) {
                None => refused(CatalogError::NotFound),
                Some(Plain { status: StreamStatus::Deleting, .. }) => {
                    refused(CatalogError::NotActive { status: StreamStatus::Deleting })
                }
                Some(stream) => {
                    stream.status = StreamStatus::Active;
                    CatalogReply::Done
                }
            },
            CatalogCommand::DeleteStream { name, .. } => self.on_active(name, |stream| {
                stream.status = StreamStatus::Deleting;
                CatalogReply::Done
            }),
            CatalogCommand::StreamGone { id } => match self.streams.iter().position(|stream| stream.id == *id) {
                None => refused(CatalogError::NotFound),
                Some(at) if self.streams[at].status == StreamStatus::Deleting => {
                    self.streams.remove(at);
                    CatalogReply::Done
                }
                Some(at) => refused(CatalogError::NotActive { status: self.streams[at].status }),
            },
            CatalogCommand::SetRetention { name, hours, direction } => self.on_active(name, |stream| {
                let current = stream.retention;
                let up = *hours > current && *hours <= 8_760 && *direction == RetentionChange::Increase;
                let down = *hours < current && *hours >= 24 && *direction == RetentionChange::Decrease;
                if !up && !down {
                    return refused(CatalogError::InvalidRetention { current, asked: *hours });
                }
                stream.retention = *hours;
                CatalogReply::Done
            }),
        }
    }

    fn on_active(&mut self, name: &StreamName, change: impl FnOnce(&mut Plain) -> CatalogReply) -> CatalogReply {
        match self.streams.iter_mut().find(|stream| stream.name == *name) {
            None => CatalogReply::Refused(CatalogError::NotFound),
            Some(stream) if stream.status == StreamStatus::Active => change(stream),
            Some(stream) => CatalogReply::Refused(CatalogError::NotActive { status: stream.status }),
        }
    }

    fn why_not_create(&self, name: &StreamName, asked: u32, mode: StreamMode) -> Option<CatalogError> {
        let count = |of: fn(&Plain) -> u32| self.streams.iter().map(of).sum::<u32>();
        let current = count(|stream| if stream.on_demand { 0 } else { stream.shards });
        let creating = count(|stream| u32::from(stream.status == StreamStatus::Creating));
        let on_demand = count(|stream| u32::from(stream.on_demand));
        if self.cluster.is_none() {
            Some(CatalogError::NotInitialised)
        } else if asked == 0 {
            Some(CatalogError::NoShards)
        } else if self.streams.iter().any(|stream| stream.name == *name) {
            Some(CatalogError::AlreadyExists)
        } else if creating >= 2 {
            Some(CatalogError::CreatingLimitExceeded { limit: 2 })
        } else if mode == StreamMode::OnDemand && on_demand >= 1 {
            Some(CatalogError::OnDemandStreamLimitExceeded { limit: 1 })
        } else if mode == StreamMode::Provisioned && current + asked > 12 {
            Some(CatalogError::ShardLimitExceeded { current, limit: 12, asked })
        } else {
            None
        }
    }

    fn create(&mut self, name: &StreamName, shards: u32, mode: StreamMode) -> CatalogReply {
        self.created += 1;
        let on_demand = mode == StreamMode::OnDemand;
        let status = StreamStatus::Creating;
        self.streams.push(Plain { id: self.created, name: name.clone(), status, on_demand, shards, retention: 24 });
        CatalogReply::Created { id: self.created }
    }
}

pub(crate) fn arn(name: &str) -> StreamArn {
    StreamArn::new("us-east-1", "000000000000", StreamName::parse(name).unwrap()).unwrap()
}

fn names() -> impl Strategy<Value = StreamArn> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(arn)
}

pub(crate) fn commands() -> impl Strategy<Value = Vec<CatalogCommand>> {
    let mode = prop::sample::select(vec![StreamMode::Provisioned, StreamMode::OnDemand]);
    let direction = prop::sample::select(vec![RetentionChange::Increase, RetentionChange::Decrease]);
    let hours = prop::sample::select(vec![0u32, 23, 24, 25, 48, 8_760, 8_761, u32::MAX]);
    let at = || any::<u32>().prop_map(|ms| TimestampMs(u64::from(ms)));
    let command = prop_oneof![
        1 => (0u128..2, at()).prop_map(|(id, at)| {
            CatalogCommand::Initialise { cluster_id: ClusterId(id), iterator_key: [7; 32], at }
        }),
        6 => (names(), 0u32..6, mode, at()).prop_map(|(arn, shard_count, mode, at)| CatalogCommand::CreateStream {
            arn, shard_count, mode, at, replicas: vec![vec![NodeId(1)], vec![NodeId(2), NodeId(3)]], limits: LIMITS,
        }),
        6 => (1u64..8).prop_map(|id| CatalogCommand::StreamReady { id }),
        3 => (names(), at()).prop_map(|(arn, at)| CatalogCommand::DeleteStream { name: arn.name().clone(), at }),
        3 => (1u64..8).prop_map(|id| CatalogCommand::StreamGone { id }),
        3 => (names(), hours, direction).prop_map(|(arn, hours, direction)| {
            CatalogCommand::SetRetention { name: arn.name().clone(), hours, direction }
        }),
    ];
    vec(command, 0..60).prop_map(|mut commands| {
        // Most runs begin as a cluster does; the others show that nothing works before.
        if commands.len() > 3 {
            commands[0] =
                CatalogCommand::Initialise { cluster_id: ClusterId(1), iterator_key: [7; 32], at: TimestampMs(1) };
        }
        commands
    })
}

proptest! {
    #[test]
    fn replies_and_streams_are_those_of_a_plain_list(commands in commands()) {
        let (mut state, mut model) = (CatalogState::new(), Model::default());
        let mut groups_seen = 0;
        for (i, command) in commands.iter().enumerate() {
            let reply = state.apply(i as u64 + 1, command);
            prop_assert_eq!(&reply, &model.apply(command), "{:?}", command);
            prop_assert_eq!(state.check(), Ok(()));
            prop_assert_eq!(state.streams.len(), model.streams.len());
            for plain in &model.streams {
                let stream = state.stream(&plain.name).unwrap();
                prop_assert_eq!((stream.id, stream.status), (plain.id, plain.status));
                prop_assert_eq!((stream.retention_hours, stream.shards.len()), (plain.retention, plain.shards as usize));
            }
            if let CatalogReply::Created { id } = reply {
                let groups: Vec<u64> = state.stream_by_id(id).unwrap().shards.values().map(|shard| shard.group.0).collect();
                prop_assert!(groups.iter().all(|group| *group > groups_seen), "a group number came back");
                groups_seen = groups.into_iter().max().unwrap();
            }
        }
    }

    #[test]
    fn a_refused_command_changes_nothing(commands in commands()) {
        let mut state = CatalogState::new();
        for (i, command) in commands.iter().enumerate() {
            let mut before = state.clone();
            if let CatalogReply::Refused(_) = state.apply(i as u64 + 1, command) {
                before.pass(i as u64 + 1);
                prop_assert_eq!(&before, &state);
            }
        }
    }
}
