//! Finds the records of a request that is tried again.

use std::time::Duration;

use journal::AppliedFrame;
use shard_state::{Command, RequestId};
use types::planted::{self, Bug};
use types::{RecordNumber, TimestampMs};

use crate::shard::Shard;
use crate::{AppendError, Appended};

/// How much longer ago than it says the first try may have been: a request says so when it is sent, and takes a while to arrive.
const TRANSIT_MAX: Duration = Duration::from_secs(10);
/// By how much the wall clocks of two leaders may differ, where nothing but arrival times tells how old records are.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(5);
/// Bytes of the log that are looked at, 8 s of a shard that takes 8 MiB a second. What goes beyond stays unknown.
const SEARCH_BYTES_MAX: u64 = 64 << 20;
const CHUNK_BYTES: u64 = 1 << 20;

impl Shard {
    /// What became of the records of a request, which has no record before `since`; `None` if none of them is in the log. Always `None`
    /// for a first try.
    pub(crate) async fn found_again(
        &self,
        id: RequestId,
        since: Option<RecordNumber>,
    ) -> Result<Option<Appended>, AppendError> {
        let Some(since) = since.filter(|_| !planted::active(Bug::RepeatedPutNotFound)) else { return Ok(None) };
        let mut from = since.max(self.published().trim.next_record);
        let mut searched = 0;
        loop {
            let entries = self.log.read_records(from, CHUNK_BYTES).await.map_err(|error| self.log_failed(error))?;
            let Some(last) = entries.last() else { return Ok(None) };
            from = RecordNumber(last.end_record());
            if let Some(appended) = entries.iter().find_map(|entry| appended_by(id, entry)) {
                tracing::debug!(group = %self.group_id, first_record = %appended.first_record, "a repeated put was in the log");
                return Ok(Some(appended));
            }
            searched += entries.iter().map(|entry| entry.frame.payload.len() as u64).sum::<u64>();
            if searched > SEARCH_BYTES_MAX {
                return Err(AppendError::Unknown("too much has been written since the first try to search it".into()));
            }
        }
    }

    /// A record at or before the first one that can have been appended within such a time.
    pub(crate) async fn first_appended(&self, within: Duration) -> Result<RecordNumber, AppendError> {
        let began = self.clock.monotonic().saturating_sub(within.saturating_add(TRANSIT_MAX));
        if let Some(next_record) = self.milestones.at(began) {
            return Ok(next_record);
        }
        // This process has not watched the shard for long enough. The leader that took the first try stamped its records, perhaps with a
        // clock that was behind this one, or ahead of it as its successors' still are.
        let back = u64::try_from(within.saturating_add(CLOCKS_DIFFER_MAX).as_millis()).unwrap_or(u64::MAX);
        let newest = self.clock.now().min(self.published().last_arrival);
        let since = TimestampMs(newest.0.saturating_sub(back));
        let seek = self.log.seek_arrival(since).await.map_err(|error| self.log_failed(error))?;
        Ok(seek.first_record)
    }
}

/// What a request has appended in this entry.
fn appended_by(id: RequestId, entry: &AppliedFrame) -> Option<Appended> {
    // An entry that can't be read has been found damaged by whoever applied it.
    let command = Command::decode(&entry.frame.payload).ok()?;
    let mut first = entry.first_record;
    for (request, count) in command.requests() {
        if request == id {
            return Some(Appended { first_record: first, arrival: entry.arrival, accepted: count });
        }
        first.0 += u64::from(count);
    }
    None
}
