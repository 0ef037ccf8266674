//! A group's log as its owner sees it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use types::planted::{self, Bug};
use types::{GroupId, RecordNumber, TimestampMs};

use crate::frame::{Frame, FrameKind};
use crate::group::Group;
use crate::queue::FlushCallback;
use crate::segment::Extent;
use crate::shared::Shared;
use crate::tail::{AppliedFrame, Assigned, Snapshot, bytes_of};
use crate::{Error, LogId, Vote};

/// The log of one group on this node: entries, vote, snapshot, and the records in the entries. Clones share it.
///
/// One owner writes (`append`, `truncate_after`, `purge`, votes); any number may read.
#[derive(Clone)]
pub struct GroupLog {
    pub(crate) group: Arc<Group>,
    pub(crate) shared: Arc<Shared>,
}

/// An applied entry's place in both orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppliedPosition {
    /// The entry.
    pub log_id: LogId,
    /// The number of the first record behind it.
    pub next_record: RecordNumber,
    /// The newest arrival up to it.
    pub arrival: TimestampMs,
}

/// Where a moment stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seek {
    /// The last retained entry whose records all arrived earlier; `None` if the log begins later.
    pub before: Option<AppliedPosition>,
    /// The first record that arrived then or later; the next one to come if there is none.
    pub first_record: RecordNumber,
}

impl GroupLog {
    /// The group.
    pub fn id(&self) -> GroupId {
        self.group.id
    }

    /// Whether the node has memory for more entries. A follower that has none puts its leader off: what it takes all the same would
    /// grow without bound while its disk is slow or full.
    pub fn has_room(&self) -> bool {
        self.shared.has_room()
    }

    /// The last vote given to [`Self::save_vote`].
    pub fn vote(&self) -> Option<Vote> {
        self.group.inner.lock().vote
    }

    /// Saves a vote; durable on return.
    pub async fn save_vote(&self, vote: Vote) -> Result<(), Error> {
        let durable = {
            let mut inner = self.group.inner.lock();
            inner.vote = Some(vote);
            self.shared.queue.push_durable(Frame::vote(self.id(), vote))
        };
        durable.await
    }

    /// The newest position known to be committed. After a crash it may be older than what was known before.
    pub fn committed(&self) -> Option<LogId> {
        self.group.inner.lock().committed
    }

    /// Notes that everything up to `committed` is committed. Costs no write of its own: it rides on the next block.
    pub fn save_committed(&self, committed: LogId) {
        self.group.inner.lock().committed = Some(committed);
        self.shared.queue.note_committed(self.id(), committed);
    }

    /// The last entry, or the purge point if the log is empty; `None` if there never was an entry.
    pub fn last(&self) -> Option<LogId> {
        self.group.inner.lock().last()
    }

    /// The last purged entry.
    pub fn purged(&self) -> Option<LogId> {
        self.group.inner.lock().purged
    }

    /// Appends entries, which must follow the last one without a hole. They are readable when this returns; `done` runs once they
    /// are durable, in the order of appending over all groups' callbacks.
    ///
    /// # Panics
    /// If there is a hole, or an entry is larger than [`crate::Options::payload_bytes_max`].
    pub fn append(&self, entries: Vec<Frame>, done: FlushCallback) {
        let bytes: u64 = entries.iter().map(bytes_of).sum();
        {
            let mut inner = self.group.inner.lock();
            if inner.has_lost() {
                drop(inner);
                return done(Err(std::io::Error::other("the group does not serve on this node")));
            }
            let bytes_max = self.shared.options.payload_bytes_max();
            assert!(entries.iter().all(|frame| frame.payload.len() as u64 <= bytes_max), "the entry fits into no file");
            // Nobody sees the queue's end before the tail: readers and callbacks need this group's lock.
            let mut done = Some(done);
            let mut parts = fitting(entries, self.shared.options.body_bytes_max()).into_iter().peekable();
            while let Some(part) = parts.next() {
                let done = if parts.peek().is_none() { done.take() } else { None };
                let item = self.shared.queue.push(part.clone(), done);
                part.into_iter().for_each(|frame| inner.push(frame, item));
            }
        }
        self.shared.tail_grew(bytes);
    }

    /// Removes the entries behind `last`, all of them if it is `None`; durable on return.
    pub async fn truncate_after(&self, last: Option<LogId>) -> Result<(), Error> {
        let (freed, durable) = {
            let mut inner = self.group.inner.lock();
            let freed = inner.truncate_after(last);
            let log_id = last.unwrap_or(LogId { term: 0, index: 0 });
            let frame = Frame::new(self.id(), FrameKind::Truncate, log_id, u64::from(last.is_none()), Bytes::new());
            (freed, self.shared.queue.push_durable(frame))
        };
        self.shared.tail_shrank(freed);
        durable.await
    }

    /// Forgets the entries up to `upto`. What only they held is given back to the disk later. Durable on return.
    pub async fn purge(&self, upto: LogId) -> Result<(), Error> {
        let (freed, durable) = {
            let mut inner = self.group.inner.lock();
            let freed = inner.purge(upto);
            let frame = Frame::new(self.id(), FrameKind::Purge, upto, 0, Bytes::new());
            (freed, self.shared.queue.push_durable(frame))
        };
        self.shared.tail_shrank(freed);
        self.shared.flusher_wake.notify_one();
        durable.await
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.group.inner.lock().snapshot.clone()
    }

    /// Saves a snapshot; durable on return. An older one is forgotten.
    pub async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), Error> {
        let durable = {
            let mut inner = self.group.inner.lock();
            let frame = Frame::new(self.id(), FrameKind::Snapshot, snapshot.log_id, 0, snapshot.state.clone());
            inner.snapshot = Some(snapshot);
            self.shared.queue.push_durable(frame)
        };
        durable.await
    }

    /// The state machine's state at the last entry that is in a segment, as [`Self::applied`] was given it: a restart applies only
    /// what follows, and need not read segments.
    pub fn checkpoint(&self) -> Option<Snapshot> {
        self.group.inner.lock().checkpoint.clone()
    }

    /// Notes what applied entries were given, in order and without a hole, and the state machine's small state after the last of
    /// them (`None` for machines that only take snapshots). From here on the records are readable.
    pub fn applied(&self, assigned: &[Assigned], state: Option<Bytes>) {
        let bytes = {
            let mut inner = self.group.inner.lock();
            let bytes = if self.shared.has_unapplied() { inner.bytes_of(assigned) } else { 0 };
            inner.assign(assigned, state);
            bytes
        };
        self.shared.some_applied(bytes);
    }

    /// Entries with an index in `range`, until `max_bytes` is passed; at least one if there is one.
    pub async fn read(&self, range: Range<u64>, max_bytes: u64) -> Result<Vec<Frame>, Error> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut bytes = 0;
        let mut next = range.start;
        while next < range.end && (frames.is_empty() || bytes < max_bytes) {
            let before = frames.len();
            match self.extent_for(next, range.end, max_bytes, &mut frames, &mut bytes) {
                Some(extent) => self.read_extent(&extent, next..range.end, max_bytes, &mut frames, &mut bytes).await?,
                None if frames.len() == before => break,
                None => {}
            }
            let Some(last) = frames.last() else { break };
            next = last.log_id.index + 1;
        }
        Ok(frames)
    }

    /// Takes entries from the tail if `next` is there; else the extent to read.
    fn extent_for(
        &self,
        next: u64,
        end: u64,
        max_bytes: u64,
        frames: &mut Vec<Frame>,
        bytes: &mut u64,
    ) -> Option<Arc<Extent>> {
        let inner = self.group.inner.lock();
        if inner.tail.first_index().is_some_and(|first| first <= next) {
            for entry in inner.tail.since(next).take_while(|entry| entry.frame.log_id.index < end) {
                if !frames.is_empty() && *bytes >= max_bytes {
                    break;
                }
                *bytes += entry.frame.encoded_len() as u64;
                frames.push(entry.frame.clone());
            }
            return None;
        }
        let at = inner.extents.partition_point(|extent| extent.fields.last.index < next);
        let extent = inner.extents.get(at).filter(|extent| extent.fields.first.index <= next)?;
        Some(Arc::clone(extent))
    }

    async fn read_extent(
        &self,
        extent: &Extent,
        range: Range<u64>,
        max_bytes: u64,
        frames: &mut Vec<Frame>,
        bytes: &mut u64,
    ) -> Result<(), Error> {
        let point = extent.point_for(|point| point.index <= range.start);
        let gone = self.purged();
        let room = max_bytes.saturating_sub(*bytes).min(extent.bytes_until(point, range.end));
        let entries = self.entries_of(extent, point, room).await?;
        let wanted =
            |entry: &AppliedFrame| range.contains(&entry.frame.log_id.index) && Some(entry.frame.log_id) > gone;
        for entry in entries.into_iter().filter(wanted) {
            if !frames.is_empty() && *bytes >= max_bytes {
                break;
            }
            *bytes += entry.frame.encoded_len() as u64;
            frames.push(entry.frame);
        }
        Ok(())
    }

    /// Applied entries that have records, from the one that holds record `from` on, until `max_bytes` is passed; at least one if
    /// there is one, none at the tip. A `from` that is no longer retained begins at what is.
    pub async fn read_records(&self, from: RecordNumber, max_bytes: u64) -> Result<Vec<AppliedFrame>, Error> {
        let mut from = from.0;
        loop {
            let extent = {
                let inner = self.group.inner.lock();
                if tail_serves(&inner, from) {
                    return Ok(records_of_tail(&inner, from, max_bytes));
                }
                let at = inner.extents.partition_point(|extent| extent.fields.end_record <= from);
                match inner.extents.get(at) {
                    Some(extent) => Arc::clone(extent),
                    None => return Ok(records_of_tail(&inner, from, max_bytes)),
                }
            };
            from = from.max(extent.fields.first_record);
            if planted::active(Bug::SegmentEdgeOffByOne) && from == extent.fields.first_record && from > 0 {
                from += 1;
            }
            let entries = self.records_of_extent(&extent, from, max_bytes).await?;
            if !entries.is_empty() {
                tracing::trace!(group = %self.id(), segment = extent.segment.id, from, "records read from a segment");
                return Ok(entries);
            }
            from = from.max(extent.fields.end_record);
        }
    }

    async fn records_of_extent(&self, extent: &Extent, from: u64, max_bytes: u64) -> Result<Vec<AppliedFrame>, Error> {
        let gone = self.purged();
        let mut point = extent.point_for(|point| point.first_record <= from);
        while point < extent.fields.points.len() {
            let read = self.entries_of(extent, point, max_bytes).await?;
            let last_index = read.last().map_or(u64::MAX, |entry| entry.frame.log_id.index);
            let wanted =
                |entry: &AppliedFrame| entry.count > 0 && entry.end_record() > from && Some(entry.frame.log_id) > gone;
            let entries: Vec<_> = read.into_iter().filter(wanted).collect();
            if !entries.is_empty() {
                return Ok(entries);
            }
            point = extent.fields.points.partition_point(|point| point.index <= last_index);
        }
        Ok(Vec::new())
    }

    /// Where the moment `at` stands among the applied entries.
    pub async fn seek_arrival(&self, at: TimestampMs) -> Result<Seek, Error> {
        let (extent, earlier) = {
            let inner = self.group.inner.lock();
            let slot = inner.extents.partition_point(|extent| extent.fields.last_arrival < at.0);
            let earlier = slot.checked_sub(1).map(|slot| end_of(&inner.extents[slot]));
            match inner.extents.get(slot) {
                Some(extent) => (Arc::clone(extent), earlier),
                None => return Ok(seek_in_tail(&inner, at, earlier)),
            }
        };
        self.seek_in_extent(&extent, at, earlier).await
    }

    async fn seek_in_extent(
        &self,
        extent: &Extent,
        at: TimestampMs,
        earlier: Option<AppliedPosition>,
    ) -> Result<Seek, Error> {
        let gone = self.purged();
        let mut before = earlier;
        for point in extent.point_for(|point| point.arrival < at.0)..extent.fields.points.len() {
            for entry in self.entries_of(extent, point, 0).await? {
                if Some(entry.frame.log_id) <= gone {
                    continue;
                }
                if entry.arrival >= at {
                    return Ok(Seek { before, first_record: entry.first_record });
                }
                before = Some(AppliedPosition {
                    log_id: entry.frame.log_id,
                    next_record: RecordNumber(entry.end_record()),
                    arrival: entry.arrival,
                });
            }
        }
        Ok(Seek { before, first_record: RecordNumber(extent.fields.end_record) })
    }

    /// Reads entries of an extent; none if they have been given up meanwhile: what then is no entry any more is a hole, not damage.
    async fn entries_of(&self, extent: &Extent, point: usize, max_bytes: u64) -> Result<Vec<AppliedFrame>, Error> {
        match extent.read(point, max_bytes).await {
            Err(Error::Damaged(_)) if self.has_given_up(extent) => Ok(Vec::new()),
            read => read.inspect_err(|error| self.note(error)),
        }
    }

    fn has_given_up(&self, extent: &Extent) -> bool {
        let inner = self.group.inner.lock();
        inner.dropped || inner.purged >= Some(extent.fields.last)
    }

    /// Damage found while reading takes the group out of service on this node.
    fn note(&self, error: &Error) {
        if let Error::Damaged(damage) = error {
            tracing::error!(group = %self.id(), %damage, "stored records are damaged; the group stops serving on this node");
            self.shared.mark_damaged(&self.group, damage.to_string());
        }
    }
}

fn end_of(extent: &Extent) -> AppliedPosition {
    AppliedPosition {
        log_id: extent.fields.last,
        next_record: RecordNumber(extent.fields.end_record),
        arrival: TimestampMs(extent.fields.last_arrival),
    }
}

/// Whether the tail's applied part reaches back to record `from`.
fn tail_serves(inner: &crate::group::Inner, from: u64) -> bool {
    inner.tail.front().and_then(|entry| entry.assigned).is_some_and(|first| first.first_record.0 <= from)
}

fn records_of_tail(inner: &crate::group::Inner, from: u64, max_bytes: u64) -> Vec<AppliedFrame> {
    let (_, entries) = inner.tail.applied_from(|assigned| assigned.end_record() <= from);
    let mut bytes = 0;
    entries
        .filter(|(_, assigned)| assigned.count > 0)
        .take_while(|(frame, _)| {
            let first = bytes == 0;
            bytes += frame.encoded_len() as u64;
            first || bytes <= max_bytes
        })
        .map(|(frame, assigned)| AppliedFrame::new(frame.clone(), assigned))
        .collect()
}

fn seek_in_tail(inner: &crate::group::Inner, at: TimestampMs, earlier: Option<AppliedPosition>) -> Seek {
    let (previous, mut entries) = inner.tail.applied_from(|assigned| assigned.arrival < at);
    let before = previous.and_then(|entry| {
        let assigned: Assigned = entry.assigned?;
        Some(AppliedPosition {
            log_id: entry.frame.log_id,
            next_record: RecordNumber(assigned.end_record()),
            arrival: assigned.arrival,
        })
    });
    let first_record = entries.next().map_or_else(|| RecordNumber(inner.tip.0), |(_, assigned)| assigned.first_record);
    Seek { before: before.or(earlier), first_record }
}

/// Cut into parts that each fit into a block: a block never goes over its file's end. At least one part.
fn fitting(entries: Vec<Frame>, bytes_max: u64) -> Vec<Vec<Frame>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for frame in entries {
        let length = frame.encoded_len() as u64;
        if bytes + length > bytes_max && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += length;
        part.push(frame);
    }
    parts.push(part);
    parts
}
