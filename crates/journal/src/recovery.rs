//! Puts the memory together from what is on disk, see [`crate::playback`], and prepares the directory for writing.
//!
//! Where something is damaged nothing is deleted: what looks like a leftover may be what somebody can save.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use env::{Disk, Env};
use types::GroupId;

use crate::block::ALIGNMENT;
use crate::checkpoint::Checkpoint;
use crate::file::{HEADER_BYTES, JournalFile, Use};
use crate::group::Inner;
use crate::open_files::{OpenFiles, SEGMENT_FILES_MAX};
use crate::playback::Playback;
use crate::scan::{FoundBlock, Scan};
use crate::segment::Segment;
use crate::shared::{FilePool, Lsns, UsedFile};
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
    pub(crate) segment_files: Arc<OpenFiles>,
    pub(crate) pool: FilePool,
    pub(crate) position: WritePosition,
    pub(crate) lsns: Lsns,
    /// Files that nobody needs, to be removed when there is time.
    pub(crate) leftovers: Vec<String>,
    /// Why the node can't serve: what it stores of the catalog is damaged.
    pub(crate) catalog_loss: Option<String>,
    pub(crate) report: RecoveryReport,
}

/// Recovers the directory and prepares it for writing.
pub(crate) async fn recover(env: &Env, options: &Options) -> Result<Recovered, Error> {
    // The journal's files go on to the writer's own thread; until then start-up may block. Segments are read by tasks.
    let dedicated = env.for_dedicated();
    let disk = &dedicated.disk;
    let mut checkpoint = Checkpoint::newest(disk).await?.unwrap_or(Checkpoint {
        replay_lsn: 1,
        next_generation: 1,
        next_segment: 1,
        ..Checkpoint::default()
    });
    let scan = Scan::read(disk).await?;
    let segment_files = OpenFiles::new(Arc::clone(&env.disk), SEGMENT_FILES_MAX);
    let playback = Playback::run(&segment_files, &checkpoint, &scan).await?;
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
    let segments = layout::segments(disk).await?;
    // A leftover is removed later, and its number is taken until then.
    let taken = segments.iter().filter_map(|path| layout::segment_number(path)).max().map_or(0, |id| id + 1);
    checkpoint.next_segment = checkpoint.next_segment.max(taken);
    let leftovers = if playback.report.damage.is_empty() {
        leftovers(disk, &checkpoint, &scan, segments).await?
    } else {
        Vec::new()
    };
    let kept = &scan.blocks[..playback.kept];
    let catalog_loss = playback.catalog_loss();
    // A node that can't serve leaves everything as it is: somebody may put right what is damaged.
    if catalog_loss.is_none() {
        rewrite(&scan, kept.last()).await?;
        blank_cut_blocks(&scan, playback.kept).await?;
    }
    // Behind what was synced before: a hole that was found damaged must be found again.
    let next = kept.last().map_or(0, FoundBlock::lsn).max(checkpoint.replay_lsn - 1).max(checkpoint.synced_lsn) + 1;
    let synced = kept.iter().rev().find(|found| found.fields.frame_count > 0).map_or(0, FoundBlock::lsn);
    let lsns = Lsns { replay: checkpoint.replay_lsn, synced: synced.max(checkpoint.synced_lsn), next };
    let (mut pool, position) = resume(&dedicated, options, &checkpoint, &scan, kept).await?;
    if catalog_loss.is_none() {
        discard_cut_blocks(&dedicated, &scan, kept, &mut pool).await?;
    }
    let Playback { mut groups, segments, report, .. } = playback;
    groups.values_mut().for_each(Inner::forget_lost_tail);
    Ok(Recovered { checkpoint, groups, segments, segment_files, pool, position, lsns, leftovers, catalog_loss, report })
}

/// Writes the headers and the last block again and syncs them. After a killed process they may stand in the page cache alone, and
/// after a failed sync the page cache may even take them for clean: what is about to be relied on must be on disk.
async fn rewrite(scan: &Scan, last: Option<&FoundBlock>) -> Result<(), Error> {
    if let Some(last) = last {
        let bytes = scan.block_bytes(last).await?;
        scan.files[last.file].file.write_at(last.offset, vec![bytes]).await?;
    }
    // The header of one that was cut short says how long it was: the next start must miss the rest again.
    for file in scan.files.iter().filter(|file| !scan.is_damaged(file.number)) {
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

/// A cut block at the end of its file would be found again, and taken for damage, if the next block went to the next file.
async fn blank_cut_blocks(scan: &Scan, kept: usize) -> Result<(), Error> {
    for found in &scan.blocks[kept..] {
        let file = &scan.files[found.file].file;
        file.write_at(found.offset, vec![Bytes::from_static(&[0; ALIGNMENT as usize])]).await?;
        file.sync().await?;
    }
    Ok(())
}

/// Removes what an interrupted checkpoint left, and names the other files whose making or removal was interrupted. Those may be
/// many gigabytes, which a start does not wait for.
async fn leftovers(
    disk: &Arc<dyn Disk>,
    checkpoint: &Checkpoint,
    scan: &Scan,
    segments: Vec<String>,
) -> Result<Vec<String>, Error> {
    checkpoint.remove_older(disk).await?;
    let listed = |path: &String| layout::segment_number(path).is_some_and(|id| checkpoint.segments.contains(&id));
    let dead = segments.into_iter().filter(|path| !listed(path));
    Ok(dead.chain(scan.unfinished.iter().cloned()).collect())
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
