//! Plays back what is on disk: checkpoint, segment footers, then the journal's newest part. Changes nothing.
//!
//! Damage is told from a torn write by what follows it: each block was synced before the next one was written, so a bad block
//! with any block behind it is damage, and a bad block at the very end is a write that was interrupted and is cut. Each checkpoint
//! also names a block that was synced when it was written, and the last checkpoint of a node that stops names the last one: a log that
//! ends before it has lost its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use env::Disk;
use types::planted::{self, Bug};
use types::{GroupId, ReplicaId};

use crate::block::{self, Body};
use crate::checkpoint::{Checkpoint, GroupFields};
use crate::frame::{Frame, FrameKind};
use crate::group::Inner;
use crate::open_files::OpenFiles;
use crate::recovery::RecoveryReport;
use crate::scan::{FoundBlock, Scan};
use crate::segment::{Extent, Segment, missing};
use crate::{Damage, Error, layout};

/// The state in the making; also what inspection looks at.
#[derive(Default)]
pub(crate) struct Playback {
    pub(crate) groups: BTreeMap<GroupId, Inner>,
    pub(crate) segments: BTreeMap<u64, Arc<Segment>>,
    pub(crate) report: RecoveryReport,
    /// Blocks that count: what is behind is cut.
    pub(crate) kept: usize,
    /// Why something is missing of which nobody knows whose it was.
    lost: Option<String>,
}

impl Playback {
    /// Reads everything without changing anything on disk.
    pub(crate) async fn run(files: &Arc<OpenFiles>, checkpoint: &Checkpoint, scan: &Scan) -> Result<Self, Error> {
        let mut playback = Self::default();
        for fields in &checkpoint.groups {
            playback.report.damage.extend(known_loss(checkpoint, fields));
            playback.groups.insert(GroupId(fields.group), Inner::from_fields(fields));
        }
        for id in &checkpoint.segments {
            playback.open_segment(files, *id).await?;
        }
        playback.check_extents();
        playback.play(scan, checkpoint).await?;
        // Behind the journal, so that all groups are known.
        playback.check_checkpoint(files.disk(), checkpoint).await?;
        playback.check_files(checkpoint, scan);
        playback.check_end(checkpoint, scan);
        playback.lose_catalogs();
        playback.groups.retain(|_, inner| !inner.dropped);
        playback.groups.values_mut().for_each(Inner::end_replay);
        Ok(playback)
    }

    async fn open_segment(&mut self, files: &Arc<OpenFiles>, id: u64) -> Result<(), Error> {
        let (segment, footer) = match Segment::open(files, id).await {
            Ok(opened) => opened,
            Err(Error::Damaged(damage)) => {
                self.report.damage.push(damage);
                return Ok(());
            }
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                self.report.damage.push(missing(id));
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

    /// Without a checkpoint there is nothing but the journal's beginning: the first segment is written only when there is one.
    async fn check_checkpoint(&mut self, disk: &Arc<dyn Disk>, checkpoint: &Checkpoint) -> Result<(), Error> {
        if checkpoint.number == 0 && !layout::segments(disk).await?.is_empty() {
            let what = "there are segments, but no checkpoint: without it nobody knows what this node stores";
            self.lose_all(Damage { file: layout::CHECKPOINT_DIR.into(), offset: 0, what: what.into() });
        }
        Ok(())
    }

    /// Journal files that are not as they were made, or are not there at all.
    fn check_files(&mut self, checkpoint: &Checkpoint, scan: &Scan) {
        for damaged in &scan.damaged {
            if damaged.newest_lsn >= checkpoint.replay_lsn {
                self.lose_all(damaged.damage.clone());
            } else {
                self.report.damage.push(damaged.damage.clone());
            }
        }
        if scan.files.is_empty() && checkpoint.number > 0 {
            let what = format!("there is no journal file: all blocks from {} on are missing", checkpoint.replay_lsn);
            self.lose_all(Damage { file: layout::JOURNAL_DIR.into(), offset: 0, what });
        }
    }

    /// The log must reach what the checkpoint saw synced.
    fn check_end(&mut self, checkpoint: &Checkpoint, scan: &Scan) {
        let last = self.kept.checked_sub(1).map_or(0, |last| scan.blocks[last].lsn());
        if last >= checkpoint.synced_lsn || planted::active(Bug::DamageReadAsEnd) {
            return;
        }
        let file = scan.files.last().map_or(layout::JOURNAL_DIR.into(), |file| layout::journal_file(file.number));
        let what = format!(
            "the log ends with block {last}, and blocks up to {} were synced: the newest are missing",
            checkpoint.synced_lsn
        );
        self.lose_all(Damage { file, offset: 0, what });
    }

    /// Something is missing, and nobody knows whose it was.
    fn lose_all(&mut self, damage: Damage) {
        self.damage_all(&damage.to_string());
        self.report.damage.push(damage);
    }

    async fn play(&mut self, scan: &Scan, checkpoint: &Checkpoint) -> Result<(), Error> {
        let replay_lsn = checkpoint.replay_lsn;
        let mut expected = None;
        for (at, found) in scan.blocks.iter().enumerate() {
            // What was known to be synced was not interrupted.
            let may_be_torn = at + 1 == scan.blocks.len() && found.lsn() > checkpoint.synced_lsn;
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
                if !self.play_block(scan, found, may_be_torn, &bytes) {
                    return Ok(());
                }
            }
            self.kept = at + 1;
        }
        Ok(())
    }

    /// Plays back one block; false if the log ends before it.
    fn play_block(&mut self, scan: &Scan, found: &FoundBlock, may_be_torn: bool, bytes: &[u8]) -> bool {
        let what = match block::read_body(&found.fields, bytes) {
            Body::Intact(frames) => {
                self.report.blocks += 1;
                frames.into_iter().for_each(|frame| self.play_frame(frame, found.lsn()));
                return true;
            }
            _ if may_be_torn || planted::active(Bug::DamageReadAsEnd) => {
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
        } else {
            inner.hold(&frame, lsn);
        }
    }

    /// Nobody knows whose data is damaged, so nobody's can be trusted to be complete.
    fn damage_all(&mut self, reason: &str) {
        for inner in self.groups.values_mut() {
            inner.lose(reason);
        }
        // The catalog is on every node: its absence here would make the node begin anew over old data.
        self.groups.entry(GroupId::CATALOG).or_default().lose(reason);
        self.lost.get_or_insert_with(|| reason.to_owned());
    }

    /// What is missing may have been of a catalog that shows up only behind it.
    fn lose_catalogs(&mut self) {
        let Some(reason) = &self.lost else { return };
        let catalogs = self.groups.iter_mut().filter(|(file, _)| ReplicaId::is_of_catalog(**file));
        catalogs.for_each(|(_, inner)| inner.lose(reason));
    }

    /// Why the node can't serve, if what it stores of the catalog is damaged.
    pub(crate) fn catalog_loss(&self) -> Option<String> {
        let catalogs = self.groups.iter().filter(|(file, _)| ReplicaId::is_of_catalog(**file));
        catalogs.filter_map(|(_, inner)| inner.damaged.clone()).next()
    }
}

/// What an earlier start found damaged of a group and this one could not find any more.
fn known_loss(checkpoint: &Checkpoint, fields: &GroupFields) -> Option<Damage> {
    let reason = fields.lost.as_ref()?;
    let what = format!("it notes that group {} was found damaged: {reason}", fields.group);
    Some(Damage { file: layout::checkpoint_file(checkpoint.number), offset: 0, what })
}
