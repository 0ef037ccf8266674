//! The background half of the journal, on a thread of its own: writes tails to segments, recycles journal files, makes spare ones,
//! deletes segments that nobody needs, and watches the free space.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use env::{Disk, Shortage};
use types::planted::{self, Bug};

use crate::checkpoint::{Checkpoint, GroupFields};
use crate::group::{FlushPart, Group};
use crate::segment::{Extent, Footer, Segment, SegmentEncoder};
use crate::shared::Shared;
use crate::{Error, layout};

/// Bytes gathered before one write to a segment.
const WRITE_CHUNK: usize = 1 << 20;

pub(crate) struct Flusher {
    pub(crate) shared: Arc<Shared>,
    /// Files called inline, as fits a thread of its own.
    pub(crate) disk: Arc<dyn Disk>,
    /// The newest durable checkpoint.
    pub(crate) checkpoint: Checkpoint,
    /// Files that no checkpoint names any more, to be removed.
    pub(crate) trash: VecDeque<String>,
    /// The last round found a shortage.
    pub(crate) is_short: bool,
    /// How many of [`Shared::files_begun`] the newest checkpoint knows of.
    pub(crate) files_noted: u64,
    /// When the last flush was, by the monotonic clock.
    pub(crate) flushed_at: Duration,
}

/// One group's part of a flush in the making.
pub(crate) struct Part {
    pub(crate) group: Arc<Group>,
    pub(crate) part: FlushPart,
}

impl Flusher {
    /// Runs until the journal is closed.
    pub(crate) async fn run(mut self) {
        while !self.shared.closing.load(Ordering::Acquire) {
            let space = self.maintain().await;
            self.shared.disk_full.store(!space, Ordering::Relaxed);
            self.report();
            self.wait().await;
        }
        self.note_end().await;
        self.shared.note_ended();
    }

    async fn wait(&mut self) {
        let interval: Duration = self.shared.options.maintenance_interval;
        if std::mem::take(&mut self.is_short) && !self.shared.closing.load(Ordering::Acquire) {
            // Whoever waits would wake it again at once, and nothing has changed.
            return tokio::time::sleep(interval).await;
        }
        // Whichever comes first; a wake that is missed here is noticed at the next interval.
        let _ = tokio::time::timeout(interval, self.shared.flusher_wake.notified()).await;
    }

    /// A node that stops notes how far its log reaches: whatever is missing at the next start is missed.
    async fn note_end(&mut self) {
        if !self.is_frozen() && self.shared.synced_lsn() > self.checkpoint.synced_lsn {
            self.or_abort(Self::write_checkpoint).await;
        }
    }

    fn is_frozen(&self) -> bool {
        self.shared.frozen.load(Ordering::Relaxed)
    }

    /// One round of everything that is due. Returns whether there is space for new records.
    async fn maintain(&mut self) -> bool {
        if self.is_frozen() {
            return self.enough_is_free().await;
        }
        let mut space = self.or_abort(Self::remove_trash).await;
        space &= self.make_spares().await;
        if self.flush_is_due() {
            space &= self.or_abort(Self::flush).await;
        }
        if self.space_can_be_freed() || self.file_was_begun() {
            space &= self.or_abort(Self::write_checkpoint).await;
        }
        space && self.enough_is_free().await
    }

    /// Runs a step that may find the disk full, or no file descriptor, which is survivable; any other failure is not.
    pub(crate) async fn or_abort(&mut self, step: impl AsyncFnOnce(&mut Self) -> Result<(), Error>) -> bool {
        match step(self).await {
            Ok(()) => true,
            Err(error) if shortage(&error).is_some() => self.wait_out(&error),
            Err(error) => {
                tracing::error!(%error, "segments cannot be written");
                self.shared.env.spawn.abort(&format!("segments cannot be written: {error}")).await;
                false
            }
        }
    }

    fn flush_is_due(&self) -> bool {
        // Whatever the reason: the writer has no other file, and waits or soon will.
        let files_short = {
            let pool = self.shared.pool.lock();
            !pool.used.is_empty() && pool.spare.is_empty()
        };
        files_short || self.much_is_unflushed()
    }

    fn much_is_unflushed(&self) -> bool {
        let (unflushed, options) = (self.shared.unflushed_bytes(), &self.shared.options);
        // What nobody has applied is no reason for another flush right away. By the next interval it may have been.
        let was_long_ago = || self.shared.env.clock.monotonic() >= self.flushed_at + options.maintenance_interval;
        unflushed >= options.flush_bytes && (self.shared.is_flush_worth(unflushed) || was_long_ago())
    }

    /// Notes a shortage, which passes: the next round tries again. Returns whether there is space for new records.
    pub(crate) fn wait_out(&mut self, error: &Error) -> bool {
        self.is_short = true;
        let space = shortage(error) != Some(Shortage::Space);
        if space {
            tracing::warn!(%error, "no more files may be opened: what is in memory is written once some are closed");
        } else {
            tracing::warn!(%error, "the disk is full; new records are refused until space returns");
        }
        space
    }

    fn file_was_begun(&self) -> bool {
        self.shared.files_begun.load(Ordering::Acquire) > self.files_noted
    }

    fn space_can_be_freed(&self) -> bool {
        self.shared.segments.lock().values().any(|segment| segment.is_mostly_dead())
    }

    /// New records are refused while what is already accepted, and what memory can still take, might not fit.
    async fn enough_is_free(&self) -> bool {
        let needed = self.shared.options.free_bytes_reserve + self.shared.options.tail_budget_bytes;
        match self.disk.free_bytes().await {
            Ok(free) => {
                self.shared.telemetry.disk_free_bytes.set(free as i64);
                free >= needed
            }
            Err(error) => {
                tracing::warn!(%error, "the free space cannot be read; taken for enough");
                true
            }
        }
    }

    fn report(&self) {
        let telemetry = &self.shared.telemetry;
        telemetry.tail_bytes.set(self.shared.tail_bytes() as i64);
        telemetry.unflushed_bytes.set(self.shared.unflushed_bytes() as i64);
        let segments = self.shared.segments.lock();
        telemetry.segments.set(segments.len() as i64);
        telemetry.segment_bytes.set(segments.values().map(|segment| segment.bytes as i64).sum());
    }

    /// Moves all applied entries into a segment, then forgets the journal behind them.
    async fn flush(&mut self) -> Result<(), Error> {
        if self.checkpoint.number == 0 {
            // A segment without any checkpoint would be taken for damage.
            self.write_checkpoint().await?;
        }
        // Read before anything is collected: what is queued from here on is in this block or a later one.
        let collected_at = self.shared.next_lsn();
        let parts = self.collect();
        self.carry_unapplied(&parts);
        self.let_go_of_held(&parts);
        let id = self.checkpoint.next_segment;
        let segment = if parts.is_empty() { None } else { Some(self.write_segment(id, &parts).await?) };
        let next = self.checkpoint_with(collected_at, &parts, segment.is_some().then_some(id));
        if let Err(error) = self.put_in_force(next).await {
            // Only a full disk lets us go on, and then no checkpoint names the segment. After any other failure one might.
            if shortage(&error).is_some() && segment.is_some() {
                self.remove_segment(id).await?;
            }
            return Err(error);
        }
        if let Some((segment, footer)) = segment {
            tracing::debug!(segment = id, groups = parts.len(), bytes = segment.bytes, "tails flushed to a segment");
            self.publish(segment, footer, parts);
        }
        self.shared.telemetry.flushes.inc();
        self.flushed_at = self.shared.env.clock.monotonic();
        self.clean_up().await
    }

    /// Writes a checkpoint without a flush, so that segments that nobody needs can be removed.
    async fn write_checkpoint(&mut self) -> Result<(), Error> {
        let next = self.checkpoint_with(self.checkpoint.replay_lsn, &[], None);
        self.put_in_force(next).await?;
        self.clean_up().await
    }

    async fn put_in_force(&mut self, next: Checkpoint) -> Result<(), Error> {
        let files_begun = self.shared.files_begun.load(Ordering::Acquire);
        next.write(&self.disk).await?;
        self.checkpoint = next;
        self.files_noted = files_begun;
        Ok(())
    }

    fn collect(&self) -> Vec<Part> {
        let groups: Vec<_> = self.shared.groups.lock().values().cloned().collect();
        let (mut parts, mut unapplied) = (Vec::new(), 0);
        for group in groups {
            let part = {
                let inner = group.inner.lock();
                unapplied += inner.unapplied_bytes();
                if inner.dropped { None } else { inner.to_flush() }
            };
            parts.extend(part.map(|part| Part { group, part }));
        }
        self.shared.note_unapplied(unapplied);
        parts
    }

    async fn write_segment(&self, id: u64, parts: &[Part]) -> Result<(Arc<Segment>, Footer), Error> {
        let path = layout::segment_file(id);
        let written = self.write_segment_file(&path, parts).await;
        let opened = match written {
            Ok(()) => Segment::open(&self.shared.segment_files, id).await,
            Err(error) => Err(error),
        };
        if opened.is_err() {
            let _ = self.remove_segment(id).await;
        }
        opened
    }

    async fn remove_segment(&self, id: u64) -> Result<(), Error> {
        self.shared.segment_files.forget(id);
        self.disk.remove(&layout::segment_file(id)).await?;
        // Some file systems give the space back only then.
        Ok(self.disk.sync_dir(layout::SEGMENT_DIR).await?)
    }

    async fn write_segment_file(&self, path: &str, parts: &[Part]) -> Result<(), Error> {
        let file = self.disk.create(path).await?;
        let mut encoder = SegmentEncoder::new(self.shared.options.index_every_bytes);
        let mut slices: Vec<Bytes> = Vec::new();
        let (mut at, mut gathered) = (0, 0);
        for (frame, assigned) in parts.iter().flat_map(|part| &part.part.entries) {
            let entry = encoder.entry(frame, *assigned);
            gathered += entry.iter().map(Bytes::len).sum::<usize>();
            slices.extend(entry.into_iter().filter(|slice| !slice.is_empty()));
            if gathered >= WRITE_CHUNK {
                file.write_at(at, std::mem::take(&mut slices)).await?;
                at = encoder.offset();
                gathered = 0;
            }
        }
        let (footer, _) = encoder.finish();
        slices.push(footer);
        file.write_at(at, slices).await?;
        file.sync().await?;
        if !planted::active(Bug::NoDirectorySync) {
            self.disk.sync_dir(layout::SEGMENT_DIR).await?;
        }
        Ok(())
    }

    /// The checkpoint that holds once `parts` are in segment `segment`. Segments without a live extent are not listed any more.
    fn checkpoint_with(&self, collected_at: u64, parts: &[Part], segment: Option<u64>) -> Checkpoint {
        // Segments first: an extent that retires after this look is still listed, and one that retired before it did so after its
        // group's purge point had moved, which the fields below then show.
        let mut segments = self.unreadable_segments();
        segments.extend(self.live_segments());
        let groups: Vec<_> = self.shared.groups.lock().values().cloned().collect();
        let mut replay_lsn = collected_at;
        let mut fields = Vec::with_capacity(groups.len());
        for group in &groups {
            let part = part_of(parts, group);
            let inner = group.inner.lock();
            if inner.dropped {
                continue;
            }
            if let Some(item) = inner.needed_item_after(part.map(|part| part.flushed)) {
                replay_lsn = replay_lsn.min(self.shared.lsn_of(item));
            }
            let committed = inner.durably_committed(|item| self.shared.lsn_of(item) < self.shared.next_lsn());
            fields.push(GroupFields { committed, ..inner.to_fields(group.id, part) });
        }
        Checkpoint {
            number: self.checkpoint.number + 1,
            replay_lsn: replay_lsn.max(self.checkpoint.replay_lsn),
            synced_lsn: self.shared.synced_lsn(),
            next_generation: self.shared.pool.lock().next_generation,
            next_segment: self.checkpoint.next_segment + u64::from(segment.is_some()),
            segments: segments.into_iter().chain(segment).collect(),
            groups: fields,
        }
    }

    /// The segments that could not be opened at start. They stay listed, or the next start would take them for leftovers and delete
    /// what may still be saved from them; until all groups are gone that miss something.
    fn unreadable_segments(&self) -> Vec<u64> {
        let is_missed = self.shared.groups.lock().values().any(|group| group.inner.lock().damaged.is_some());
        if !is_missed {
            return Vec::new();
        }
        let segments = self.shared.segments.lock();
        self.checkpoint.segments.iter().filter(|id| !segments.contains_key(id)).copied().collect()
    }

    /// The segments that hold something retained. What is dead in them now may be given back once the checkpoint is durable.
    fn live_segments(&self) -> Vec<u64> {
        let segments = self.shared.segments.lock();
        let live = segments.values().filter(|segment| segment.live_extents.load(Ordering::Acquire) > 0);
        live.inspect(|segment| segment.doom_dead()).map(|segment| segment.id).collect()
    }

    fn publish(&self, segment: Arc<Segment>, footer: Footer, parts: Vec<Part>) {
        self.shared.segments.lock().insert(segment.id, Arc::clone(&segment));
        assert_eq!(footer.extents.len(), parts.len(), "one extent per group");
        for (part, fields) in parts.into_iter().zip(footer.extents) {
            assert_eq!(part.group.id.0, fields.group, "extents are sorted by group");
            let extent = Arc::new(Extent { segment: Arc::clone(&segment), fields });
            let settled = part.group.inner.lock().flushed(&part.part, extent);
            self.shared.settled(&part.group, part.part.flushed.index, settled);
        }
        self.shared.evict();
    }
}

/// What a flush takes of a group. The parts are sorted by group.
pub(crate) fn part_of<'a>(parts: &'a [Part], group: &Group) -> Option<&'a FlushPart> {
    let at = parts.binary_search_by_key(&group.id, |part| part.group.id);
    at.ok().map(|at| &parts[at].part)
}

pub(crate) fn shortage(error: &Error) -> Option<Shortage> {
    if let Error::Io(error) = error { Shortage::of(error) } else { None }
}
