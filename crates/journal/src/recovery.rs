//! Puts the memory together from what is on disk: checkpoint, segment footers, then the journal's newest part.
//!
//! Damage is told from a torn write by what follows it: each block was synced before the next one was written, so a bad block
//! with any block behind it is damage, and a bad block at the very end is a write that was interrupted and is cut.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use env::{Disk, Env};
use types::GroupId;
use types::planted::{self, Bug};

use crate::block::{self, Body};
use crate::checkpoint::{Checkpoint, GroupFields};
use crate::file::{HEADER_BYTES, JournalFile, Use};
use crate::frame::{Frame, FrameKind};
use crate::group::Inner;
use crate::scan::{FoundBlock, Scan};
use crate::segment::{Extent, Segment};
use crate::shared::{FilePool, UsedFile};
use crate::writer::WritePosition;
use crate::{Damage, Error, Options, layout};

/// What was found at start.
#[derive(Clone, Debug, Default)]
pub struct RecoveryReport {
    /// Blocks played back from the journal.
    pub blocks: u64,
    /// Frames in them.
    pub frames: u64,
    /// Whether the last write had been interrupted and was cut.
    pub torn_tail: bool,
    /// Damaged places. Their groups neither vote nor serve on this node.
    pub damage: Vec<Damage>,
}

/// The memory as it was, and where to go on writing.
pub(crate) struct Recovered {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) groups: BTreeMap<GroupId, Inner>,
    pub(crate) segments: BTreeMap<u64, Arc<Segment>>,
    pub(crate) pool: FilePool,
    pub(crate) position: WritePosition,
    pub(crate) next_lsn: u64,
    pub(crate) report: RecoveryReport,
}

/// The state in the making; also what inspection looks at.
#[derive(Default)]
pub(crate) struct Playback {
    pub(crate) groups: BTreeMap<GroupId, Inner>,
    pub(crate) segments: BTreeMap<u64, Arc<Segment>>,
    pub(crate) report: RecoveryReport,
    /// Blocks that count: what is behind is cut.
    pub(crate) kept: usize,
}

impl Playback {
    /// Reads everything without changing anything on disk.
    pub(crate) async fn run(disk: &Arc<dyn Disk>, checkpoint: &Checkpoint, scan: &Scan) -> Result<Self, Error> {
        let mut playback = Self::default();
        for fields in &checkpoint.groups {
            playback.report.damage.extend(known_loss(checkpoint, fields));
            playback.groups.insert(GroupId(fields.group), Inner::from_fields(fields));
        }
        for id in &checkpoint.segments {
            playback.open_segment(disk, *id).await?;
        }
        playback.check_extents();
        playback.play(scan, checkpoint.replay_lsn).await?;
        playback.groups.retain(|_, inner| !inner.dropped);
        playback.groups.values_mut().for_each(Inner::end_replay);
        Ok(playback)
    }

    async fn open_segment(&mut self, disk: &Arc<dyn Disk>, id: u64) -> Result<(), Error> {
        let (segment, footer) = match Segment::open(disk, id).await {
            Ok(opened) => opened,
            Err(Error::Damaged(damage)) => {
                self.report.damage.push(damage);
                return Ok(());
            }
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                let what = "the segment is missing".to_string();
                self.report.damage.push(Damage { file: layout::segment_file(id), offset: 0, what });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for fields in footer.extents {
            let group = self.groups.get_mut(&GroupId(fields.group));
            let extent = Arc::new(Extent { segment: Arc::clone(&segment), fields });
            match group {
                Some(inner) if inner.purged < Some(extent.fields.last) => inner.extents.push(extent),
                _ => extent.retire(),
            }
        }
        self.segments.insert(id, segment);
        Ok(())
    }

    /// A group's extents must cover all that it retains; where a segment is missing or damaged, its groups are found by the hole.
    fn check_extents(&mut self) {
        for (id, inner) in &mut self.groups {
            inner.extents.sort_by_key(|extent| extent.fields.first);
            let mut covered = inner.purged.map_or(0, |purged| purged.index + 1);
            for extent in &inner.extents {
                if extent.fields.first.index > covered {
                    break;
                }
                covered = covered.max(extent.fields.last.index + 1);
            }
            if inner.flushed.is_some_and(|flushed| covered <= flushed.index) {
                inner.damaged =
                    Some(format!("entries of {id} from {covered} on are in a segment that is missing or damaged"));
            }
        }
    }

    async fn play(&mut self, scan: &Scan, replay_lsn: u64) -> Result<(), Error> {
        let mut expected = None;
        for (at, found) in scan.blocks.iter().enumerate() {
            let is_last = at + 1 == scan.blocks.len();
            let wanted = expected.unwrap_or(0).max(replay_lsn);
            let in_order = expected.is_none_or(|expected| found.lsn() >= expected) && found.lsn() <= wanted;
            if !in_order && !planted::active(Bug::StaleFrameReplayed) {
                let missing = found.lsn().saturating_sub(wanted);
                let what = format!(
                    "{missing} blocks before block {} are missing or damaged; what they held is unknown",
                    found.lsn()
                );
                self.report.damage.push(scan.damage(found.file, found.offset, what.clone()));
                if planted::active(Bug::DamageReadAsEnd) {
                    return Ok(());
                }
                self.damage_all(&what);
            }
            expected = Some(found.lsn() + 1);
            if found.lsn() >= replay_lsn || planted::active(Bug::StaleFrameReplayed) {
                let bytes = scan.block_bytes(found).await?;
                if !self.play_block(scan, found, is_last, &bytes) {
                    return Ok(());
                }
            }
            self.kept = at + 1;
        }
        Ok(())
    }

    /// Plays back one block; false if the log ends before it.
    fn play_block(&mut self, scan: &Scan, found: &FoundBlock, is_last: bool, bytes: &[u8]) -> bool {
        let what = match block::read_body(&found.fields, bytes) {
            Body::Intact(frames) => {
                self.report.blocks += 1;
                frames.into_iter().for_each(|frame| self.play_frame(frame, found.lsn()));
                return true;
            }
            _ if is_last || planted::active(Bug::DamageReadAsEnd) => {
                self.report.torn_tail = true;
                return false;
            }
            Body::DamagedPayloads(frames, headers) => {
                frames.into_iter().for_each(|frame| self.play_frame(frame, found.lsn()));
                let groups: Vec<_> = headers.iter().map(|header| header.group).collect();
                let what = format!("block {} holds damaged entries of groups {groups:?}", found.lsn());
                for group in groups {
                    self.groups.entry(group).or_default().lose(&what);
                }
                what
            }
            Body::DamagedTable => {
                let what = format!("the table of block {} is damaged; what it held is unknown", found.lsn());
                self.damage_all(&what);
                what
            }
        };
        self.report.damage.push(scan.damage(found.file, found.offset, what));
        true
    }

    fn play_frame(&mut self, frame: Frame, lsn: u64) {
        self.report.frames += 1;
        let inner = self.groups.entry(frame.group).or_default();
        // A damaged group may still leave.
        if inner.damaged.is_none() || frame.kind == FrameKind::Drop {
            inner.replay(frame, lsn);
        }
    }

    /// Nobody knows whose data is damaged, so nobody's can be trusted to be complete.
    fn damage_all(&mut self, reason: &str) {
        for inner in self.groups.values_mut() {
            inner.lose(reason);
        }
        // The catalog is on every node: its absence here would make the node begin anew over old data.
        self.groups.entry(GroupId::CATALOG).or_default().lose(reason);
    }
}

/// What an earlier start found damaged of a group and this one could not find any more.
fn known_loss(checkpoint: &Checkpoint, fields: &GroupFields) -> Option<Damage> {
    let reason = fields.lost.as_ref()?;
    let what = format!("it notes that group {} was found damaged: {reason}", fields.group);
    Some(Damage { file: layout::checkpoint_file(checkpoint.number), offset: 0, what })
}

/// Recovers the directory and prepares it for writing.
pub(crate) async fn recover(env: &Env, options: &Options) -> Result<Recovered, Error> {
    // The journal's files go on to the writer's own thread; until then start-up may block. Segments are read by tasks.
    let dedicated = env.for_dedicated();
    let disk = &dedicated.disk;
    let checkpoint = Checkpoint::newest(disk).await?.unwrap_or(Checkpoint {
        replay_lsn: 1,
        next_generation: 1,
        next_segment: 1,
        ..Checkpoint::default()
    });
    let scan = Scan::read(disk).await?;
    let playback = Playback::run(&env.disk, &checkpoint, &scan).await?;
    if playback.report.torn_tail {
        tracing::info!("the last write was interrupted and is cut: it was never acknowledged");
    }
    if checkpoint.number > 0 {
        tracing::debug!(
            number = checkpoint.number,
            segments = checkpoint.segments.len(),
            "restarting from a checkpoint"
        );
    }
    for damage in &playback.report.damage {
        tracing::error!(%damage, "stored data is damaged");
    }
    sync_names(disk).await?;
    remove_leftovers(disk, &checkpoint, &scan).await?;
    let kept = &scan.blocks[..playback.kept];
    rewrite(&scan, kept.last()).await?;
    let next_lsn = kept.last().map_or(1, |last| last.lsn() + 1).max(checkpoint.replay_lsn);
    let (pool, position) = resume(&dedicated, options, &checkpoint, &scan, kept).await?;
    let Playback { mut groups, segments, report, .. } = playback;
    groups.values_mut().for_each(Inner::forget_lost_tail);
    Ok(Recovered { checkpoint, groups, segments, pool, position, next_lsn, report })
}

/// Writes the headers and the last block again and syncs them. After a killed process they may stand in the page cache alone, and
/// after a failed sync the page cache may even take them for clean: what is about to be relied on must be on disk.
async fn rewrite(scan: &Scan, last: Option<&FoundBlock>) -> Result<(), Error> {
    if let Some(last) = last {
        let bytes = scan.block_bytes(last).await?;
        scan.files[last.file].file.write_at(last.offset, vec![bytes]).await?;
    }
    for file in &scan.files {
        file.write_header().await?;
    }
    Ok(())
}

async fn sync_names(disk: &Arc<dyn Disk>) -> Result<(), Error> {
    for dir in ["", layout::JOURNAL_DIR, layout::SEGMENT_DIR, layout::CHECKPOINT_DIR] {
        disk.sync_dir(dir).await?;
    }
    Ok(())
}

/// Removes files whose making or removal was interrupted.
async fn remove_leftovers(disk: &Arc<dyn Disk>, checkpoint: &Checkpoint, scan: &Scan) -> Result<(), Error> {
    for path in &scan.unfinished {
        disk.remove(path).await?;
    }
    for name in disk.list(layout::SEGMENT_DIR).await? {
        let listed = layout::number_of(&name, "segment").is_some_and(|id| checkpoint.segments.contains(&id));
        if !listed {
            disk.remove(&format!("{}/{name}", layout::SEGMENT_DIR)).await?;
        }
    }
    checkpoint.remove_older(disk).await?;
    sync_names(disk).await
}

/// Sorts the files into used, current and spare ones; makes the first one in an empty directory.
async fn resume(
    env: &Env,
    options: &Options,
    checkpoint: &Checkpoint,
    scan: &Scan,
    kept: &[FoundBlock],
) -> Result<(FilePool, WritePosition), Error> {
    let newest = scan.files.last().map_or(0, |file| file.current.generation + 1);
    let mut pool = FilePool {
        count: scan.files.len(),
        next_number: scan.next_number,
        next_generation: newest.max(checkpoint.next_generation),
        ..FilePool::default()
    };
    let current = kept.last().map_or(0, |last| last.file);
    for (at, file) in scan.files.iter().enumerate() {
        let last_lsn = kept.iter().rev().find(|found| found.file == at).map_or(0, FoundBlock::lsn);
        match at.cmp(&current) {
            std::cmp::Ordering::Less => pool.used.push_back(UsedFile { file: file.clone(), last_lsn }),
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => pool.spare.push_back(file.clone()),
        }
    }
    let position = match (scan.files.get(current), kept.last()) {
        (Some(file), Some(last)) => WritePosition { file: file.clone(), offset: last.end() },
        (Some(file), None) => WritePosition { file: file.clone(), offset: HEADER_BYTES },
        (None, _) => WritePosition { file: first_file(env, options, &mut pool).await?, offset: HEADER_BYTES },
    };
    discard_cut_blocks(env, scan, kept, &mut pool).await?;
    Ok((pool, position))
}

async fn first_file(env: &Env, options: &Options, pool: &mut FilePool) -> Result<JournalFile, Error> {
    let current = Use { generation: pool.next_generation, salt: env.random.u64() };
    let file = JournalFile::create(&env.disk, pool.next_number, options.file_bytes, current).await?;
    pool.count += 1;
    pool.next_number += 1;
    pool.next_generation += 1;
    Ok(file)
}

/// Spare files must be empty: begins a new use of those that hold a block behind the cut.
async fn discard_cut_blocks(env: &Env, scan: &Scan, kept: &[FoundBlock], pool: &mut FilePool) -> Result<(), Error> {
    let mut spare = VecDeque::new();
    for file in std::mem::take(&mut pool.spare) {
        let cut = &scan.blocks[kept.len()..];
        let holds = cut.iter().any(|found| scan.files[found.file].number == file.number);
        if holds {
            let generation = pool.next_generation;
            pool.next_generation += 1;
            spare.push_back(file.recycle(Use { generation, salt: env.random.u64() }).await?);
        } else {
            spare.push_front(file);
        }
    }
    spare.make_contiguous().sort_by_key(|file| file.current.generation);
    pool.spare = spare;
    Ok(())
}
