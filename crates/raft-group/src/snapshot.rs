//! Snapshots on their way between machine, disk and openraft.

use std::io;

use bytes::Bytes;
use journal::{GroupLog, Snapshot};
use openraft::RaftSnapshotBuilder;
use openraft::type_config::alias::{SnapshotMetaOf, SnapshotOf};

use crate::config::Config;
use crate::log_store::io_error;
use crate::stored::{self, Envelope};

/// A snapshot as it is stored and sent: an [`Envelope`].
#[derive(Clone, Debug)]
pub(crate) struct SnapshotBytes(pub(crate) Bytes);

/// Where a stored snapshot stands, for openraft.
pub(crate) fn meta(snapshot: &Snapshot) -> io::Result<SnapshotMetaOf<Config>> {
    let mut memberships = Envelope::decode(&snapshot.state)?.memberships;
    Ok(SnapshotMetaOf::<Config> {
        last_log_id: Some(stored::to_raft(snapshot.log_id)),
        last_membership: memberships.pop().unwrap_or_default(),
    })
}

/// A snapshot taken, on its way to the disk; `None` if there is nothing to take one of.
pub(crate) struct SnapshotBuilder {
    pub(crate) log: GroupLog,
    pub(crate) snapshot: Option<Snapshot>,
}

impl RaftSnapshotBuilder<Config> for SnapshotBuilder {
    type SnapshotData = SnapshotBytes;

    async fn build_snapshot(&mut self) -> io::Result<SnapshotOf<Config, SnapshotBytes>> {
        let Some(snapshot) = self.snapshot.clone() else {
            let nothing = SnapshotBytes(Envelope::encode(&[], &[]));
            return Ok(SnapshotOf::<Config, SnapshotBytes> { meta: Default::default(), snapshot: nothing });
        };
        let meta = meta(&snapshot)?;
        self.log.save_snapshot(snapshot.clone()).await.map_err(io_error)?;
        Ok(SnapshotOf::<Config, SnapshotBytes> { meta, snapshot: SnapshotBytes(snapshot.state) })
    }
}
