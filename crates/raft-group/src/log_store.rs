//! openraft's log storage over the journal.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};

use journal::GroupLog;
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};

use crate::config::{Config, Entry, RaftLogId, RaftVote};
use crate::stored;

/// Bytes of entries read at once for a replica that follows or catches up.
const READ_BYTES_MAX: u64 = 1 << 20;

/// One group's log. Clones read the same log.
#[derive(Clone)]
pub(crate) struct LogStore {
    pub(crate) log: GroupLog,
}

pub(crate) fn io_error(error: journal::Error) -> io::Error {
    match error {
        journal::Error::Io(error) => error,
        error => io::Error::other(error),
    }
}

impl LogStore {
    async fn read(&self, start: u64, end: u64, max_bytes: u64) -> io::Result<Vec<Entry>> {
        let frames = self.log.read(start..end, max_bytes).await.map_err(io_error)?;
        frames.into_iter().map(stored::from_frame).collect()
    }
}

impl RaftLogReader<Config> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> io::Result<Vec<Entry>> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => start + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(end) => end.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        // Entries that have been purged are absent at the beginning; everything else must be there.
        let start = start.max(self.log.purged().map_or(0, |purged| purged.index + 1));
        self.read(start, end, u64::MAX).await
    }

    async fn read_vote(&mut self) -> io::Result<Option<RaftVote>> {
        Ok(self.log.vote().map(stored::vote_to_raft))
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(start, end, READ_BYTES_MAX).await
    }
}

impl RaftLogStorage<Config> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<Config>> {
        Ok(LogState {
            last_purged_log_id: self.log.purged().map(stored::to_raft),
            last_log_id: self.log.last().map(stored::to_raft),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &RaftVote) -> io::Result<()> {
        self.log.save_vote(stored::vote_from_raft(vote)).await.map_err(io_error)
    }

    async fn save_committed(&mut self, committed: Option<RaftLogId>) -> io::Result<()> {
        if let Some(committed) = committed {
            self.log.save_committed(stored::from_raft(&committed));
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> io::Result<Option<RaftLogId>> {
        Ok(self.log.committed().map(stored::to_raft))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Config>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let group = self.log.id();
        let frames = entries.into_iter().map(|entry| stored::to_frame(group, entry)).collect();
        self.log.append(frames, Box::new(move |result| callback.io_completed(result)));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<RaftLogId>) -> io::Result<()> {
        self.log.truncate_after(last.as_ref().map(stored::from_raft)).await.map_err(io_error)
    }

    async fn purge(&mut self, upto: RaftLogId) -> io::Result<()> {
        self.log.purge(stored::from_raft(&upto)).await.map_err(io_error)
    }
}
