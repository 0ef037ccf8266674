//! What no configuration allows to exceed.

use types::limits::{OPEN_SHARDS_MAX, STREAM_SHARDS_MAX};

use crate::{CatalogError, CatalogState};

impl CatalogState {
    /// Whether a stream with so many more shards may be asked for, whatever the account may have. Asked before the command is proposed,
    /// and when it is applied: it is durable by then, and every start repeats it.
    ///
    /// # Errors
    /// [`CatalogError::ShardLimitExceeded`].
    pub fn check_bounds(&self, asked: u32) -> Result<(), CatalogError> {
        let refused = |current, limit| Err(CatalogError::ShardLimitExceeded { current, limit, asked });
        if asked > STREAM_SHARDS_MAX {
            return refused(0, STREAM_SHARDS_MAX);
        }
        let open: usize = self.streams().map(|stream| stream.open_shards().count()).sum();
        let open = u32::try_from(open).unwrap_or(u32::MAX);
        match open.checked_add(asked) {
            Some(sum) if sum <= OPEN_SHARDS_MAX => Ok(()),
            _ => refused(open, OPEN_SHARDS_MAX),
        }
    }
}
