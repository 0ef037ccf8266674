use super::*;
use crate::apply::model::{arn, commands};
use crate::{AccountLimits, CatalogReply, ClusterId, NodeState, RetentionChange, StreamMode};
use proptest::prelude::*;
use types::{GroupId, NodeId, ReplicaId, TimestampMs};

fn one_of_each() -> Vec<CatalogCommand> {
    let name = arn("fl").name().clone();
    let (group, from) = (GroupId(1), vec![ReplicaId::new(NodeId(1), 0)]);
    let to = vec![ReplicaId::new(NodeId(1), 1)];
    vec![
        CatalogCommand::Initialise { cluster_id: ClusterId(1), iterator_key: [0xee; 32], at: TimestampMs(2) },
        CatalogCommand::JoinNode {
            incarnation: 5,
            preferred: Some(NodeId(1)),
            api_addr: "a:1".into(),
            peer_addr: "b:2".into(),
            zone: String::new(),
            catalog: 1,
            starts_over: false,
        },
        CatalogCommand::CreateStream {
            arn: arn("fl"),
            shard_count: 1,
            mode: StreamMode::OnDemand,
            at: TimestampMs(3),
            replication: 3,
            replicas: vec![vec![NodeId(1)]],
            limits: AccountLimits { provisioned_shards: 9, on_demand_streams: 8, creating_streams: 7 },
        },
        CatalogCommand::StreamReady { id: 1 },
        CatalogCommand::ChangeReplicas { group, from, to: to.clone() },
        CatalogCommand::AbandonChange { group, to: to.clone() },
        CatalogCommand::ReplicasChanged { group, to },
        CatalogCommand::SetNodeState { id: NodeId(1), state: NodeState::Leaving },
        CatalogCommand::RemoveNode { id: NodeId(1) },
        CatalogCommand::SetRetention { name: name.clone(), hours: 48, direction: RetentionChange::Increase },
        CatalogCommand::DeleteStream { name, at: TimestampMs(4) },
        CatalogCommand::StreamGone { id: 1 },
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn layout_on_disk_does_not_change_by_accident() {
    let encoded: Vec<String> = one_of_each().iter().map(|command| hex(&command.encode())).collect();
    assert_eq!(encoded, EXPECTED_COMMANDS);
    let mut state = CatalogState::new();
    for (i, command) in one_of_each()[..6].iter().enumerate() {
        state.apply(i as u64 + 1, command).into_result().unwrap();
    }
    assert_eq!(hex(&state.encode()), EXPECTED_STATE);
}

const EXPECTED_COMMANDS: [&str; 12] = [
    "030001eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee02",
    "030105010103613a3103623a32000100",
    "0302036177730975732d656173742d310c30303030303030303030303002666c01010303010101090807",
    "030301",
    "030901010101fd0100000001000000",
    "030b0101fd0100000001000000",
    "030a0101fd0100000001000000",
    "03070102",
    "030801",
    "030602666c3000",
    "030402666c04",
    "030501",
];
const EXPECTED_STATE: &str = "030101eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee02010103613a3103623a320000050100020102666c01036177730975732d656173742d310c30303030303030303030303002666c0300010118fb0004030100000100feffffffffffffffffffffffffffffffff030000000101000101020001020206";

#[test]
fn other_versions_and_excess_bytes_are_refused() {
    let mut bytes = CatalogCommand::StreamReady { id: 1 }.encode();
    bytes.push(0);
    assert_eq!(CatalogCommand::decode(&bytes), Err(FormatError::Excess(1)));
    bytes[0] = 1;
    assert_eq!(CatalogCommand::decode(&bytes), Err(FormatError::Version(1)));
    assert_eq!(CatalogCommand::decode(&[]), Err(FormatError::Empty));
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let mut state = CatalogState::new();
    for (i, command) in one_of_each()[..4].iter().enumerate() {
        state.apply(i as u64 + 1, command);
    }
    state.next_group = 1;
    assert!(matches!(CatalogState::decode(&state.encode()), Err(FormatError::Contradiction(_))));
}

proptest! {
    #[test]
    fn commands_and_states_round_trip(commands in commands()) {
        let mut state = CatalogState::new();
        for (i, command) in commands.iter().enumerate() {
            prop_assert_eq!(&CatalogCommand::decode(&command.encode()), &Ok(command.clone()));
            let reply: CatalogReply = state.apply(i as u64 + 1, command);
            let bytes = encode(1, &reply);
            prop_assert_eq!(decode::<CatalogReply>(1, &bytes), Ok(reply));
        }
        prop_assert_eq!(CatalogState::decode(&state.encode()), Ok(state));
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0u8..13) {
        let _ = CatalogState::decode(&bytes);
        if bytes.len() > 1 {
            (bytes[0], bytes[1]) = (3, kind);
        }
        let _ = CatalogCommand::decode(&bytes);
        let _ = CatalogState::decode(&bytes);
    }
}
