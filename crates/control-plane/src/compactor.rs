use std::sync::Arc;

use catalog_state::CatalogState;
use raft_group::RaftGroup;
use tokio::sync::watch;

/// Replaces the catalog's log by a snapshot each time so many entries have come, so that a start replays a bounded number.
pub(crate) struct Compactor {
    pub(crate) group: RaftGroup,
    pub(crate) catalog: watch::Receiver<Arc<CatalogState>>,
    pub(crate) stop: watch::Receiver<bool>,
    /// Compact after so many entries.
    pub(crate) every: u64,
    /// Where the last snapshot stands.
    pub(crate) compacted: u64,
}

impl Compactor {
    pub(crate) async fn run(mut self) {
        loop {
            let applied = self.catalog.borrow_and_update().applied_index();
            if applied.saturating_sub(self.compacted) >= self.every {
                // Not tried again before the catalog changes: a failure here is the disk's, which others report as well.
                match self.group.compact().await {
                    Ok(()) => self.compacted = applied,
                    Err(error) => tracing::warn!(%error, "the catalog's log could not be compacted"),
                }
            }
            tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return,
                changed = self.catalog.changed() => if changed.is_err() { return },
            }
        }
    }
}
