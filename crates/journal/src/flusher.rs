//! The background half of the journal, on a thread of its own: writes tails to segments, recycles journal files, makes spare ones,
//! deletes segments that nobody needs, and watches the free space.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use env::Disk;
use types::GroupId;
use types::planted::{self, Bug};

use crate::checkpoint::Checkpoint;
use crate::file::{JournalFile, Use};
use crate::group::{FlushPart, Group};
use crate::segment::{Extent, Footer, Segment, SegmentEncoder};
use crate::shared::Shared;
use crate::{Error, layout};

/// Bytes gathered before one write to a segment.
const WRITE_CHUNK: usize = 1 << 20;
/// Journal files kept ready beside the one being written.
const SPARE_FILES: usize = 2;

pub(crate) struct Flusher {
    pub(crate) shared: Arc<Shared>,
    /// Files called inline, as fits a thread of its own.
    pub(crate) disk: Arc<dyn Disk>,
    /// The newest durable checkpoint.
    pub(crate) checkpoint: Checkpoint,
}

/// One group's part of a flush in the making.
struct Part {
    group: Arc<Group>,
    part: FlushPart,
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
        self.shared.note_ended();
    }

    async fn wait(&self) {
        let interval: Duration = self.shared.options.maintenance_interval;
        // Whichever comes first; a wake that is missed here is noticed at the next interval.
        let _ = tokio::time::timeout(interval, self.shared.flusher_wake.notified()).await;
    }

    /// One round of everything that is due. Returns whether there is space for new records.
    async fn maintain(&mut self) -> bool {
        let mut space = self.make_spares().await;
        if self.flush_is_due() {
            space &= self.or_abort(Self::flush).await;
        } else if self.space_can_be_freed() {
            space &= self.or_abort(Self::write_checkpoint).await;
        }
        space && self.enough_is_free().await
    }

    /// Runs a step that may find the disk full, which is survivable; any other failure is not.
    async fn or_abort(&mut self, step: impl AsyncFnOnce(&mut Self) -> Result<(), Error>) -> bool {
        match step(self).await {
            Ok(()) => true,
            Err(error) if is_full(&error) => {
                tracing::warn!(%error, "the disk is full; new records are refused until space returns");
                false
            }
            Err(error) => {
                tracing::error!(%error, "segments cannot be written");
                self.shared.env.spawn.abort(&format!("segments cannot be written: {error}")).await;
                false
            }
        }
    }

    fn flush_is_due(&self) -> bool {
        if self.catalog_is_lost() {
            return false;
        }
        let pool = self.shared.pool.lock();
        let files_short =
            !pool.used.is_empty() && pool.count >= self.shared.options.files_max.div_ceil(2) && pool.spare.is_empty();
        files_short || self.shared.unflushed_bytes() >= self.shared.options.flush_bytes
    }

    /// A node without its catalog serves nothing: its journal stays as it is, for whoever can save something from it.
    fn catalog_is_lost(&self) -> bool {
        let groups = self.shared.groups.lock();
        groups.get(&GroupId::CATALOG).is_some_and(|catalog| catalog.inner.lock().has_lost())
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

    /// Makes sure that the writer finds a file when its own is full. Returns false if the disk is too full for one.
    async fn make_spares(&mut self) -> bool {
        loop {
            let (number, generation) = {
                let mut pool = self.shared.pool.lock();
                if pool.spare.len() >= SPARE_FILES || pool.count >= self.shared.options.files_max {
                    return true;
                }
                pool.next_number += 1;
                pool.next_generation += 1;
                (pool.next_number - 1, pool.next_generation - 1)
            };
            let current = Use { generation, salt: self.shared.env.random.u64() };
            match JournalFile::create(&self.disk, number, self.shared.options.file_bytes, current).await {
                Ok(file) => self.add_spare(file, 1),
                Err(error) if is_full(&error) => return false,
                Err(error) => {
                    self.shared.env.spawn.abort(&format!("a journal file cannot be made: {error}")).await;
                }
            }
        }
    }

    fn add_spare(&self, file: JournalFile, made: usize) {
        let mut pool = self.shared.pool.lock();
        pool.count += made;
        pool.spare.push_back(file);
        drop(pool);
        self.shared.spare_made.notify_one();
    }

    /// Moves all applied entries into a segment, then forgets the journal behind them.
    async fn flush(&mut self) -> Result<(), Error> {
        // Read before anything is collected: what is queued from here on is in this block or a later one.
        let collected_at = self.shared.next_lsn();
        let parts = self.collect();
        let id = self.checkpoint.next_segment;
        let segment = if parts.is_empty() { None } else { Some(self.write_segment(id, &parts).await?) };
        let written = self.checkpoint_with(collected_at, &parts, segment.is_some().then_some(id));
        if let Err(error) = written.write(&self.disk).await {
            // Only a full disk lets us go on, and then no checkpoint names the segment. After any other failure one might.
            if is_full(&error) && segment.is_some() {
                self.disk.remove(&layout::segment_file(id)).await?;
            }
            return Err(error);
        }
        self.checkpoint = written;
        if let Some((segment, footer)) = segment {
            tracing::debug!(segment = id, groups = parts.len(), bytes = segment.bytes, "tails flushed to a segment");
            self.publish(segment, footer, parts);
        }
        self.shared.telemetry.flushes.inc();
        self.clean_up().await
    }

    /// Writes a checkpoint without a flush, so that segments that nobody needs can be removed.
    async fn write_checkpoint(&mut self) -> Result<(), Error> {
        let next = self.checkpoint_with(self.checkpoint.replay_lsn, &[], None);
        next.write(&self.disk).await?;
        self.checkpoint = next;
        self.clean_up().await
    }

    fn collect(&self) -> Vec<Part> {
        let groups: Vec<_> = self.shared.groups.lock().values().cloned().collect();
        groups
            .into_iter()
            .filter_map(|group| {
                let part = {
                    let inner = group.inner.lock();
                    if inner.dropped { None } else { inner.to_flush() }
                };
                part.map(|part| Part { group, part })
            })
            .collect()
    }

    async fn write_segment(&self, id: u64, parts: &[Part]) -> Result<(Arc<Segment>, Footer), Error> {
        let path = layout::segment_file(id);
        let written = self.write_segment_file(&path, parts).await;
        match written {
            Ok(()) => Segment::open(&self.shared.env.disk, id).await,
            Err(error) => {
                let _ = self.disk.remove(&path).await;
                Err(error)
            }
        }
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
            let at = parts.binary_search_by_key(&group.id, |part| part.group.id);
            let part = at.ok().map(|at| &parts[at].part);
            let inner = group.inner.lock();
            if inner.dropped {
                continue;
            }
            if let Some(item) = inner.needed_item_after(part.map(|part| part.flushed)) {
                replay_lsn = replay_lsn.min(self.shared.lsn_of(item));
            }
            fields.push(inner.to_fields(group.id, part));
        }
        Checkpoint {
            number: self.checkpoint.number + 1,
            replay_lsn: replay_lsn.max(self.checkpoint.replay_lsn),
            next_generation: self.shared.pool.lock().next_generation,
            next_segment: self.checkpoint.next_segment + u64::from(segment.is_some()),
            segments: segments.into_iter().chain(segment).collect(),
            groups: fields,
        }
    }

    /// The segments that could not be opened at start. They stay listed, or the next start would take them for leftovers and delete
    /// what may still be saved from them.
    fn unreadable_segments(&self) -> Vec<u64> {
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

    /// Removes what the newest checkpoint no longer names, and recycles the journal files behind it.
    async fn clean_up(&mut self) -> Result<(), Error> {
        self.checkpoint.remove_older(&self.disk).await?;
        self.shared.forget_blocks(self.checkpoint.replay_lsn);
        let dead: Vec<_> = {
            let mut segments = self.shared.segments.lock();
            let listed = &self.checkpoint.segments;
            let dead: Vec<u64> = segments.keys().filter(|id| !listed.contains(id)).copied().collect();
            dead.iter().for_each(|id| drop(segments.remove(id)));
            dead
        };
        for id in dead {
            self.disk.remove(&layout::segment_file(id)).await?;
            tracing::debug!(segment = id, "segment removed");
        }
        self.punch_doomed().await;
        self.recycle().await
    }

    async fn recycle(&mut self) -> Result<(), Error> {
        loop {
            let (file, generation) = {
                let mut pool = self.shared.pool.lock();
                let done = pool.used.front().is_some_and(|used| used.last_lsn < self.checkpoint.replay_lsn);
                let Some(used) = done.then(|| pool.used.pop_front()).flatten() else { return Ok(()) };
                pool.next_generation += 1;
                (used.file, pool.next_generation - 1)
            };
            let salt = self.shared.env.random.u64();
            let file = file.recycle(Use { generation, salt }).await?;
            tracing::debug!(file = file.number, generation, "journal file recycled");
            self.add_spare(file, 0);
        }
    }

    async fn punch_doomed(&self) {
        let segments: Vec<_> = self.shared.segments.lock().values().cloned().collect();
        for segment in segments {
            if let Err(error) = segment.punch_doomed().await {
                tracing::warn!(%error, segment = segment.id, "the space of trimmed records cannot be given back");
            }
        }
    }
}

fn is_full(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::StorageFull)
}
