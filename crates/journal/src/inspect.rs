//! Looks at a stopped node's directory without changing it.

use std::fmt;
use std::sync::Arc;

use env::Disk;
use serde::Serialize;
use types::GroupId;

use crate::checkpoint::Checkpoint;
use crate::group::Inner;
use crate::open_files::{OpenFiles, SEGMENT_FILES_MAX};
use crate::playback::Playback;
use crate::scan::Scan;
use crate::{Damage, Error, layout};

/// What one group has on this node.
#[derive(Clone, Debug, Serialize)]
pub struct GroupInspection {
    /// The group; 0 is the catalog.
    pub group: u64,
    /// Term of the last vote.
    pub term: u64,
    /// The last purged entry, as `term.index`.
    pub purged: Option<String>,
    /// The last entry in a segment.
    pub flushed: Option<String>,
    /// The newest position known to be committed.
    pub committed: Option<String>,
    /// The last entry.
    pub last: Option<String>,
    /// The number after the last record known to be applied.
    pub next_record: u64,
    /// Extents in segments.
    pub extents: u64,
    /// Entries in segments whose checksums were verified.
    pub verified_entries: u64,
    /// Why the group could not serve.
    pub damaged: Option<String>,
}

/// What a data directory holds.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The directory's format.
    pub format: u32,
    /// Number of the newest checkpoint; 0 if there is none.
    pub checkpoint: u64,
    /// Recovery begins at this block.
    pub replay_lsn: u64,
    /// Journal files.
    pub journal_files: usize,
    /// Blocks that recovery would play back.
    pub blocks: u64,
    /// Frames in them.
    pub frames: u64,
    /// Whether the last write had been interrupted; recovery cuts it.
    pub torn_tail: bool,
    /// Segments listed by the checkpoint and present.
    pub segments: usize,
    /// Their bytes.
    pub segment_bytes: u64,
    /// The groups.
    pub groups: Vec<GroupInspection>,
    /// Damage, first found first. Empty if the directory is sound.
    pub damage: Vec<Damage>,
}

/// Reads everything in a data directory and verifies every checksum.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read, [`Error::Format`] if the directory is not one of this format. Damage is a result, not
/// an error.
pub async fn inspect(disk: Arc<dyn Disk>) -> Result<Inspection, Error> {
    layout::check_format(&disk).await?;
    let (checkpoint, mut damage) = match Checkpoint::newest(&disk).await {
        Ok(checkpoint) => (checkpoint, Vec::new()),
        Err(Error::Damaged(damage)) => (None, vec![damage]),
        Err(error) => return Err(error),
    };
    let checkpoint = checkpoint.unwrap_or(Checkpoint { replay_lsn: 1, ..Checkpoint::default() });
    let scan = Scan::read(&disk).await?;
    let files = OpenFiles::new(Arc::clone(&disk), SEGMENT_FILES_MAX);
    let playback = Playback::run(&files, &checkpoint, &scan).await?;
    damage.extend(playback.report.damage.iter().cloned());
    let mut groups = Vec::new();
    for (id, inner) in &playback.groups {
        groups.push(inspect_group(*id, inner, &mut damage).await?);
    }
    Ok(Inspection {
        format: layout::FORMAT,
        checkpoint: checkpoint.number,
        replay_lsn: checkpoint.replay_lsn,
        journal_files: scan.files.len(),
        blocks: playback.report.blocks,
        frames: playback.report.frames,
        torn_tail: playback.report.torn_tail,
        segments: playback.segments.len(),
        segment_bytes: playback.segments.values().map(|segment| segment.bytes).sum(),
        groups,
        damage,
    })
}

async fn inspect_group(id: GroupId, inner: &Inner, damage: &mut Vec<Damage>) -> Result<GroupInspection, Error> {
    let mut verified_entries = 0;
    let mut damaged = inner.damaged.clone();
    for extent in &inner.extents {
        match extent.verify().await {
            Ok(entries) => verified_entries += entries,
            Err(Error::Damaged(found)) => {
                damaged.get_or_insert(found.to_string());
                damage.push(found);
            }
            Err(error) => return Err(error),
        }
    }
    let text = |log_id: Option<crate::LogId>| log_id.map(|log_id| log_id.to_string());
    Ok(GroupInspection {
        group: id.0,
        term: inner.vote.map_or(0, |vote| vote.term),
        purged: text(inner.purged),
        flushed: text(inner.flushed),
        committed: text(inner.committed),
        last: text(inner.last()),
        next_record: inner.tip.0,
        extents: inner.extents.len() as u64,
        verified_entries,
        damaged,
    })
}

impl Inspection {
    /// Whether nothing is damaged, in the files and in the groups.
    pub fn is_sound(&self) -> bool {
        self.first_damage().is_none()
    }

    fn first_damage(&self) -> Option<String> {
        let of_groups = || self.groups.iter().find_map(|group| group.damaged.clone());
        self.damage.first().map(ToString::to_string).or_else(of_groups)
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "format {}, checkpoint {}, replay from block {}", self.format, self.checkpoint, self.replay_lsn)?;
        writeln!(
            f,
            "journal: {} files, {} blocks and {} frames to play back{}",
            self.journal_files,
            self.blocks,
            self.frames,
            if self.torn_tail { ", the last write was interrupted and will be cut" } else { "" }
        )?;
        writeln!(f, "segments: {}, {} bytes", self.segments, self.segment_bytes)?;
        for group in &self.groups {
            writeln!(f, "{group}")?;
        }
        match self.first_damage() {
            None => write!(f, "sound: every checksum is right"),
            Some(first) => {
                let groups = self.groups.iter().filter(|group| group.damaged.is_some()).count();
                write!(f, "DAMAGED: {} places, {groups} groups, first: {first}", self.damage.len())
            }
        }
    }
}

impl fmt::Display for GroupInspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |position: &Option<String>| position.clone().unwrap_or_else(|| "-".into());
        write!(
            f,
            "group {:>6}: term {}, purged {}, in segments to {}, committed {}, last {}, next record {}, {} extents, {} entries verified",
            self.group,
            self.term,
            text(&self.purged),
            text(&self.flushed),
            text(&self.committed),
            text(&self.last),
            self.next_record,
            self.extents,
            self.verified_entries
        )?;
        match &self.damaged {
            Some(reason) => write!(f, ", DAMAGED: {reason}"),
            None => Ok(()),
        }
    }
}
