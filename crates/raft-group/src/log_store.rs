//! openraft's log storage over the journal.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, Range, RangeBounds};
use std::time::Duration;

use futures_util::stream::{self, Stream, TryStreamExt};
use journal::GroupLog;
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};

use crate::config::{Config, Entry, RaftLogId, RaftVote};
use crate::stored;

/// Bytes of entries read at once, to apply them or for a replica that catches up. After a restart gigabytes may be behind each other.
const READ_BYTES_MAX: u64 = 1 << 20;
/// Pauses before a failed read is repeated.
const READ_PAUSES: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(100), Duration::from_millis(500)];

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
    /// The entries in `range`, without a hole; the last ones are left out once `max_bytes` are passed, but never the first one.
    async fn read(&self, range: Range<u64>, max_bytes: u64) -> io::Result<Vec<Entry>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let frames = self.read_patiently(&range, max_bytes).await.map_err(io_error)?;
        let end = range.start + frames.len() as u64;
        let whole = end == range.end || (max_bytes < u64::MAX && end > range.start);
        if !whole || !frames.iter().map(|frame| frame.log_id.index).eq(range.start..end) {
            // What is missing would never be applied, and nobody would notice.
            let what = format!("entries {range:?} of group {} are not all there", self.log.id());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        frames.into_iter().map(stored::from_frame).collect()
    }

    /// A read that fails ends the replica until the node restarts, so one that may succeed in a moment is repeated. What was found damaged is not.
    async fn read_patiently(&self, range: &Range<u64>, max_bytes: u64) -> Result<Vec<journal::Frame>, journal::Error> {
        let mut pauses = READ_PAUSES.iter();
        loop {
            match self.log.read(range.clone(), max_bytes).await {
                Err(journal::Error::Io(error)) => match pauses.next() {
                    Some(pause) => {
                        tracing::warn!(group = %self.log.id(), ?range, %error, "a read of the log failed: trying again");
                        tokio::time::sleep(*pause).await;
                    }
                    None => return Err(error.into()),
                },
                read => return read,
            }
        }
    }

    /// The part of `range` that the log has: what is purged is absent at the beginning, what is not yet appended at the end.
    fn present(&self, range: &impl RangeBounds<u64>) -> Range<u64> {
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
        let behind = |log_id: Option<journal::LogId>| log_id.map_or(0, |log_id| log_id.index + 1);
        start.max(behind(self.log.purged()))..end.min(behind(self.log.last()))
    }
}

impl RaftLogReader<Config> for LogStore {
    async fn entries_stream<RB>(&mut self, range: RB) -> impl Stream<Item = io::Result<Entry>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let chunks = stream::try_unfold((self.clone(), self.present(&range)), |(store, rest)| async move {
            let entries = store.read(rest.clone(), READ_BYTES_MAX).await?;
            let rest = rest.start + entries.len() as u64..rest.end;
            let more = (!entries.is_empty()).then_some((entries, (store, rest)));
            Ok::<_, io::Error>(more.map(|(entries, next)| (stream::iter(entries.into_iter().map(Ok)), next)))
        });
        // openraft polls it where it stands only after pinning it.
        Box::pin(chunks.try_flatten())
    }

    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> io::Result<Vec<Entry>> {
        self.read(self.present(&range), u64::MAX).await
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(self.present(&(start..end)), READ_BYTES_MAX).await
    }

    async fn read_vote(&mut self) -> io::Result<Option<RaftVote>> {
        Ok(self.log.vote().map(stored::vote_to_raft))
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
        tracing::debug!(group = %self.log.id(), after = ?last.as_ref().map(stored::from_raft), "entries of a former leader removed");
        self.log.truncate_after(last.as_ref().map(stored::from_raft)).await.map_err(io_error)
    }

    async fn purge(&mut self, upto: RaftLogId) -> io::Result<()> {
        self.log.purge(stored::from_raft(&upto)).await.map_err(io_error)
    }
}
