//! To the other replicas: nobody yet. Groups have one voter in this release, and the transport comes with the next.

use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::network::v2::RaftNetworkV2;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use openraft::type_config::alias::{SnapshotOf, VoteOf};
use openraft::{AnyError, OptionalSend, RaftNetworkFactory};

use crate::config::Config;
use crate::snapshot::SnapshotBytes;

/// Answers every call with "unreachable".
pub(crate) struct NoPeers;

fn unreachable() -> Unreachable<Config> {
    Unreachable::new(&AnyError::error("groups have one voter in this release"))
}

impl RaftNetworkFactory<Config> for NoPeers {
    type Network = NoPeers;

    async fn new_client(&mut self, _: u64, _: &openraft::impls::EmptyNode) -> NoPeers {
        NoPeers
    }
}

impl RaftNetworkV2<Config> for NoPeers {
    type SnapshotData = SnapshotBytes;

    async fn append_entries(
        &mut self,
        _: AppendEntriesRequest<Config>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<Config>, RPCError<Config>> {
        Err(unreachable().into())
    }

    async fn vote(&mut self, _: VoteRequest<Config>, _: RPCOption) -> Result<VoteResponse<Config>, RPCError<Config>> {
        Err(unreachable().into())
    }

    async fn pre_vote(
        &mut self,
        _: VoteRequest<Config>,
        _: RPCOption,
    ) -> Result<VoteResponse<Config>, RPCError<Config>> {
        Err(unreachable().into())
    }

    async fn full_snapshot(
        &mut self,
        _: VoteOf<Config>,
        _: SnapshotOf<Config, SnapshotBytes>,
        _: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<Config>, StreamingError<Config>> {
        Err(unreachable().into())
    }
}
