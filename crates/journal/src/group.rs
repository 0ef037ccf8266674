//! One group's state in memory: hard state, tail, extents. Pure bookkeeping under one lock; all I/O is elsewhere.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use types::GroupId;
use types::planted::{self, Bug};

use crate::checkpoint::{GroupFields, StateAt};
use crate::frame::{Frame, FrameKind};
use crate::segment::Extent;
use crate::tail::{Assigned, Snapshot, Tail, TailEntry};
use crate::{LogId, Vote};

pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) inner: Mutex<Inner>,
}

/// Invariant: `purged <= flushed or tail`, `flushed <= applied <= committed <= last`.
#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) vote: Option<Vote>,
    pub(crate) committed: Option<LogId>,
    pub(crate) purged: Option<LogId>,
    pub(crate) snapshot: Option<Snapshot>,
    /// The last entry that is in a segment.
    pub(crate) flushed: Option<LogId>,
    /// The state machine's state at `flushed`.
    pub(crate) checkpoint: Option<Snapshot>,
    pub(crate) tail: Tail,
    /// Sorted by position.
    pub(crate) extents: Vec<Arc<Extent>>,
    /// The last applied entry in the tail and the state after it.
    pub(crate) applied: Option<(LogId, Option<Bytes>)>,
    /// The end of the record numbers ever assigned, and the newest arrival: known also when no entry is left.
    pub(crate) tip: Tip,
    /// The same as it was at `flushed`.
    pub(crate) flushed_tip: Tip,
    pub(crate) dropped: bool,
    /// During playback: an entry came whose predecessor is in an older block. Right only if a truncation follows: playback begins
    /// at what is needed in the end, which may lie behind a part of what was truncated.
    gap: Option<String>,
    /// Why the group may not serve on this node.
    pub(crate) damaged: Option<String>,
    /// The same, where a part of the journal was damaged or let go: checkpoints keep it. Damage to segments is found anew at each start.
    lost: Option<String>,
    /// The oldest item that the journal holds of a group whose segment is missing or damaged. It stays there, so that everything is
    /// there again once the segment is.
    held: Option<u64>,
}

/// The end of a group's record numbers and its newest arrival in ms.
pub(crate) type Tip = (u64, u64);

/// What a flush takes from one group.
pub(crate) struct FlushPart {
    pub(crate) entries: Vec<(Frame, Assigned)>,
    pub(crate) flushed: LogId,
    pub(crate) state: Option<Bytes>,
    pub(crate) tip: Tip,
}

/// Bytes that left the tail, and how many of them were in no segment.
#[derive(Clone, Copy, Default)]
pub(crate) struct Freed {
    pub(crate) bytes: u64,
    pub(crate) unflushed: u64,
}

impl Group {
    pub(crate) fn new(id: GroupId, inner: Inner) -> Arc<Self> {
        Arc::new(Self { id, inner: Mutex::new(inner) })
    }
}

impl Inner {
    pub(crate) fn from_fields(fields: &GroupFields) -> Self {
        let checkpoint = fields
            .state
            .as_ref()
            .zip(fields.flushed)
            .map(|(state, log_id)| Snapshot { log_id, state: Bytes::copy_from_slice(state) });
        let mut inner = Self {
            vote: fields.vote,
            committed: fields.committed,
            purged: fields.purged,
            flushed: fields.flushed,
            checkpoint,
            tip: fields.tip,
            flushed_tip: fields.tip,
            damaged: fields.lost.clone(),
            lost: fields.lost.clone(),
            snapshot: fields
                .snapshot
                .as_ref()
                .map(|at| Snapshot { log_id: at.log_id, state: Bytes::copy_from_slice(&at.state) }),
            ..Self::default()
        };
        inner.take_carried(Bytes::copy_from_slice(&fields.carried));
        inner
    }

    /// The checkpoint's own entries.
    fn take_carried(&mut self, mut frames: Bytes) {
        while !frames.is_empty() {
            let Some(frame) = Frame::read(&frames) else {
                // The checkpoint's checksum was right, so whoever wrote it was wrong.
                return self.lose("entries in the checkpoint cannot be read");
            };
            let _ = frames.split_to(frame.encoded_len());
            self.tail.push(TailEntry { frame, item: 0, assigned: None, carried: true });
        }
    }

    /// The hard state, as it will be once `part` is in a segment.
    pub(crate) fn to_fields(&self, id: GroupId, part: Option<&FlushPart>) -> GroupFields {
        let state = match part {
            Some(part) => part.state.as_ref().map(|state| state.to_vec()),
            None => self.checkpoint.as_ref().map(|checkpoint| checkpoint.state.to_vec()),
        };
        GroupFields {
            group: id.0,
            vote: self.vote,
            committed: self.committed,
            purged: self.purged,
            flushed: part.map(|part| part.flushed).or(self.flushed),
            state,
            tip: part.map_or(self.flushed_tip, |part| part.tip),
            snapshot: self
                .snapshot
                .as_ref()
                .map(|snapshot| StateAt { log_id: snapshot.log_id, state: snapshot.state.to_vec() }),
            lost: self.lost.clone(),
            carried: self.carried_after(part.map(|part| part.flushed)),
        }
    }

    fn carried_after(&self, flushed: Option<LogId>) -> Vec<u8> {
        let carried = self.tail.since(self.unsettled_after(flushed)).take_while(|entry| entry.carried);
        let mut out = BytesMut::new();
        for entry in carried {
            entry.frame.put_header(&mut out);
            out.extend_from_slice(&entry.frame.payload);
        }
        out.into()
    }

    /// The first index that is in no segment, and not gone, once entries up to `flushed` are in one.
    fn unsettled_after(&self, flushed: Option<LogId>) -> u64 {
        flushed.max(self.flushed).max(self.purged).map_or(0, |settled| settled.index + 1)
    }

    /// From now on checkpoints hold the entries behind `flushed` that are synced, and the journal need not keep them: nobody knows when they will be
    /// applied, or whether ever, and until then the writer would wait for the files that they stand in, with the votes that could
    /// commit them behind it. Returns their number.
    pub(crate) fn carry(&mut self, flushed: Option<LogId>, is_synced: impl Fn(u64) -> bool) -> usize {
        let from = self.unsettled_after(flushed);
        let entries = self.tail.since_mut(from).take_while(|entry| entry.carried || is_synced(entry.item));
        entries.map(|entry| entry.carried = true).count()
    }

    /// The last entry, or what stands for it if the log is empty.
    pub(crate) fn last(&self) -> Option<LogId> {
        let in_tail = self.tail.last().map(|entry| entry.frame.log_id);
        in_tail.max(self.flushed).max(self.purged)
    }

    /// Whether the entry is in a segment or gone: it takes no part in a flush.
    pub(crate) fn is_settled(&self, index: u64) -> bool {
        self.flushed.max(self.purged).is_some_and(|settled| index <= settled.index)
    }

    /// Adds an entry behind the last one.
    pub(crate) fn push(&mut self, frame: Frame, item: u64) {
        if let Some(last) = self.last() {
            assert_eq!(frame.log_id.index, last.index + 1, "a log has no holes");
        }
        self.tail.push(TailEntry { frame, item, assigned: None, carried: false });
    }

    /// Removes the entries behind `last`; all of them if it is `None`.
    pub(crate) fn truncate_after(&mut self, last: Option<LogId>) -> Freed {
        let mut freed = Freed::default();
        while let Some(entry) = self.tail.last().filter(|entry| Some(entry.frame.log_id) > last) {
            assert!(entry.assigned.is_none(), "applied entries are never truncated");
            freed.bytes += entry.bytes();
            freed.unflushed += entry.bytes();
            self.tail.pop_back();
        }
        freed
    }

    /// Forgets the entries up to `upto`.
    pub(crate) fn purge(&mut self, upto: LogId) -> Freed {
        if self.purged >= Some(upto) {
            return Freed::default();
        }
        let flushed = self.flushed;
        self.purged = Some(upto);
        let gone = self.extents.partition_point(|extent| extent.fields.last <= upto);
        self.extents.drain(..gone).for_each(|extent| extent.retire());
        self.drop_front(|entry| entry.frame.log_id <= upto, flushed)
    }

    /// Forgets everything: the group leaves this node.
    pub(crate) fn clear(&mut self) -> Freed {
        self.extents.drain(..).for_each(|extent| extent.retire());
        self.drop_front(|_| true, self.flushed)
    }

    /// The memory of the entries that nobody has applied.
    pub(crate) fn unapplied_bytes(&self) -> u64 {
        let from = self.applied.as_ref().map_or(0, |(applied, _)| applied.index + 1).max(self.unsettled_after(None));
        self.tail.since(from).map(TailEntry::bytes).sum()
    }

    /// The memory of entries in the tail that were given something, in order.
    pub(crate) fn bytes_of(&self, assigned: &[Assigned]) -> u64 {
        let Some(first) = assigned.first() else { return 0 };
        self.tail.since(first.index).take(assigned.len()).map(TailEntry::bytes).sum()
    }

    /// The memory of the tail.
    pub(crate) fn tail_bytes(&self) -> u64 {
        self.tail.since(0).map(TailEntry::bytes).sum()
    }

    /// Forgets entries that are in a segment, for memory.
    pub(crate) fn evict(&mut self, upto: u64) -> Freed {
        let flushed = self.flushed;
        let settled = flushed.map_or(0, |flushed| flushed.index);
        self.drop_front(|entry| entry.frame.log_id.index <= upto.min(settled) && flushed.is_some(), flushed)
    }

    fn drop_front(&mut self, gone: impl Fn(&TailEntry) -> bool, flushed: Option<LogId>) -> Freed {
        let mut freed = Freed::default();
        while self.tail.front().is_some_and(&gone) {
            let Some(entry) = self.tail.pop_front() else { break };
            freed.bytes += entry.bytes();
            if Some(entry.frame.log_id) > flushed {
                freed.unflushed += entry.bytes();
            }
        }
        freed
    }

    pub(crate) fn assign(&mut self, assigned: &[Assigned], state: Option<Bytes>) {
        assigned.iter().for_each(|one| self.tail.assign(*one));
        let Some(last) = assigned.last() else { return };
        self.tip = self.tip.max((last.end_record(), last.arrival.0));
        if let Some(entry) = self.tail.since(last.index).next().filter(|entry| entry.frame.log_id.index == last.index) {
            self.applied = Some((entry.frame.log_id, state));
        }
    }

    /// The applied entries that are in no segment yet; `None` if there are none.
    pub(crate) fn to_flush(&self) -> Option<FlushPart> {
        let (applied, state) = self.applied.as_ref()?;
        let from = self.flushed.max(self.purged).map_or(0, |settled| settled.index + 1);
        let entries: Vec<_> = self
            .tail
            .since(from)
            .take_while(|entry| entry.frame.log_id <= *applied)
            .map_while(|entry| Some((entry.frame.clone(), entry.assigned?)))
            .collect();
        let (last, assigned) = entries.last()?;
        let (flushed, tip) = (last.log_id, (assigned.end_record(), assigned.arrival.0));
        assert_eq!(flushed, *applied, "what is applied is in the tail until it is in a segment");
        Some(FlushPart { entries, flushed, state: state.clone(), tip })
    }

    /// The flush is durable: its entries may leave the tail. Returns the bytes that are in a segment now.
    pub(crate) fn flushed(&mut self, part: &FlushPart, extent: Arc<Extent>) -> u64 {
        let before = self.flushed.max(self.purged);
        self.flushed = Some(part.flushed);
        self.flushed_tip = part.tip;
        self.checkpoint = part.state.clone().map(|state| Snapshot { log_id: part.flushed, state });
        if self.dropped || self.purged >= Some(part.flushed) {
            extent.retire();
        } else {
            self.extents.push(extent);
        }
        let settled = self.tail.since(before.map_or(0, |before| before.index + 1));
        settled.take_while(|entry| entry.frame.log_id <= part.flushed).map(TailEntry::bytes).sum()
    }

    /// The oldest item that recovery needs for this group, once its entries up to `flushed` are in a segment.
    pub(crate) fn needed_item_after(&self, flushed: Option<LogId>) -> Option<u64> {
        if self.held.is_some() {
            return self.held;
        }
        let mut unsettled = self.tail.since(self.unsettled_after(flushed));
        unsettled.find(|entry| !entry.carried).map(|entry| entry.item)
    }

    /// A frame of a group that may not serve: nobody would apply it, but the journal keeps it.
    pub(crate) fn hold(&mut self, frame: &Frame, item: u64) {
        let is_needed = !frame.kind.is_entry() || !self.is_settled(frame.log_id.index);
        if self.lost.is_none() && is_needed {
            self.held.get_or_insert(item);
        }
    }

    /// Plays back one frame from the journal. Entries that are in a segment or gone are skipped; the rest must fit.
    pub(crate) fn replay(&mut self, frame: Frame, item: u64) {
        match frame.kind {
            FrameKind::Blank | FrameKind::Normal | FrameKind::Membership => self.replay_entry(frame, item),
            FrameKind::Vote => self.vote = Some(frame.to_vote()),
            FrameKind::Committed => self.committed = self.committed.max(Some(frame.log_id)),
            FrameKind::Truncate => {
                let last = (frame.aux == 0).then_some(frame.log_id);
                self.truncate_after(last);
                self.gap = self.gap.take().filter(|_| last > self.last());
            }
            FrameKind::Purge => {
                self.purge(frame.log_id);
            }
            FrameKind::Snapshot => {
                if self.snapshot.as_ref().is_none_or(|known| known.log_id < frame.log_id) {
                    self.snapshot = Some(Snapshot { log_id: frame.log_id, state: frame.payload });
                }
            }
            FrameKind::Drop => {
                self.dropped = true;
                self.clear();
            }
        }
    }

    fn replay_entry(&mut self, frame: Frame, item: u64) {
        if planted::active(Bug::StaleFrameReplayed) {
            while self.tail.last().is_some_and(|last| last.frame.log_id.index >= frame.log_id.index) {
                self.tail.pop_back();
            }
            self.flushed = self.flushed.filter(|flushed| flushed.index < frame.log_id.index);
        } else if self.gap.is_some() || self.is_settled(frame.log_id.index) {
            return;
        }
        if self.is_superseded(&frame) {
            return;
        }
        match self.last() {
            Some(last) if last.index + 1 != frame.log_id.index => {
                self.gap = Some(format!("entry {} does not follow entry {last}", frame.log_id));
            }
            _ => self.push(frame, item),
        }
    }

    /// Whether the checkpoint held the entry, or what later took its place, or what it followed. Then a truncation comes, and behind it once
    /// more what came instead.
    fn is_superseded(&self, frame: &Frame) -> bool {
        let last = self.tail.last().filter(|last| last.carried).map(|last| last.frame.log_id);
        last.is_some_and(|last| frame.log_id.index <= last.index || frame.log_id.term < last.term)
    }

    /// Playback is over: a gap that no truncation explained is damage, and so is a log that ends before what was committed.
    pub(crate) fn end_replay(&mut self) {
        if let Some(gap) = self.gap.take() {
            self.lose(&gap);
        }
        let last = self.last().max(self.snapshot.as_ref().map(|snapshot| snapshot.log_id));
        if let Some(committed) = self.committed.filter(|committed| Some(*committed) > last && self.damaged.is_none()) {
            let end = last.map_or("there is no entry".into(), |last| format!("the last entry is {last}"));
            self.lose(&format!("{end}, and entries up to {committed} were committed"));
        }
    }

    /// The newest committed position that is no further than what is durable: what a checkpoint may say, since a log that ends before
    /// what was committed is damage.
    pub(crate) fn durably_committed(&self, is_synced: impl Fn(u64) -> bool) -> Option<LogId> {
        let committed = self.committed?;
        let entry = self.tail.since(committed.index).next().filter(|entry| entry.frame.log_id.index == committed.index);
        match entry {
            Some(entry) if !is_synced(entry.item) => self.flushed.max(self.purged).min(Some(committed)),
            _ => Some(committed),
        }
    }

    /// A part of what the journal held of the group is damaged or missing.
    pub(crate) fn lose(&mut self, reason: &str) {
        self.damaged.get_or_insert_with(|| reason.to_string());
        self.lost.get_or_insert_with(|| reason.to_string());
        self.held = None;
    }

    /// Nobody will apply what is in the tail: it takes no memory, and the journal keeps it.
    pub(crate) fn set_aside(&mut self) -> Freed {
        if !self.carried_after(None).is_empty() {
            // The checkpoints alone have them, and the next one would not.
            self.lose("the group could not be served while only checkpoints had its newest entries");
        }
        self.held = self.needed_item_after(None).filter(|_| self.lost.is_none());
        self.drop_front(|_| true, self.flushed)
    }

    /// The journal needs the space of what it holds of a group that does not serve.
    pub(crate) fn let_go(&mut self) -> Freed {
        let reason = self.damaged.clone().unwrap_or_default();
        self.lose(&format!("what the journal held of it had to be let go, after: {reason}"));
        self.drop_front(|_| true, self.flushed)
    }

    /// Whether a part of the journal was damaged that held something of the group.
    pub(crate) fn has_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Forgets the tail of a group that may not serve: nobody will ever apply it, so it would hold on to memory, and to the journal
    /// that all groups share, until nobody can write any more.
    pub(crate) fn forget_lost_tail(&mut self) {
        if self.lost.is_some() {
            self.tail = Tail::default();
        }
    }
}
