//! Reads journal files as they lie on disk and says what is in them. Changes nothing; used by recovery and by inspection.

use std::sync::Arc;

use bytes::Bytes;
use env::{Disk, File};
use types::planted::{self, Bug};

use crate::block::{self, ALIGNMENT, Fields};
use crate::file::{HEADER_BYTES, Header, JournalFile};
use crate::{Damage, Error, layout};

const ENDING: &str = "journal";
const DRAFT_ENDING: &str = "draft";
/// Files are searched in pieces of this size, each overlapping nothing: blocks begin on page boundaries.
const SEARCH_CHUNK: usize = 4 << 20;

/// A block whose header is intact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundBlock {
    /// Position in [`Scan::files`].
    pub(crate) file: usize,
    pub(crate) offset: u64,
    pub(crate) fields: Fields,
}

impl FoundBlock {
    pub(crate) fn lsn(&self) -> u64 {
        self.fields.place.lsn
    }

    pub(crate) fn end(&self) -> u64 {
        self.offset + block::stored_len(self.fields.body_len)
    }
}

/// A file that holds blocks and is not as it was made.
#[derive(Clone, Debug)]
pub(crate) struct DamagedFile {
    pub(crate) damage: Damage,
    /// The newest block that it may have held.
    pub(crate) newest_lsn: u64,
}

/// Everything in the journal directory.
pub(crate) struct Scan {
    /// In the order of use.
    pub(crate) files: Vec<JournalFile>,
    /// In the order of the log.
    pub(crate) blocks: Vec<FoundBlock>,
    /// Files whose making was interrupted: there is no block in them.
    pub(crate) unfinished: Vec<String>,
    pub(crate) damaged: Vec<DamagedFile>,
    /// Greater than every number in use.
    pub(crate) next_number: u64,
}

impl Scan {
    pub(crate) async fn read(disk: &Arc<dyn Disk>) -> Result<Self, Error> {
        let mut scan =
            Self { files: Vec::new(), blocks: Vec::new(), unfinished: Vec::new(), damaged: Vec::new(), next_number: 0 };
        let mut found = Vec::new();
        for name in disk.list(layout::JOURNAL_DIR).await? {
            if let Some(number) = layout::number_of(&name, DRAFT_ENDING) {
                scan.next_number = scan.next_number.max(number + 1);
                scan.unfinished.push(layout::journal_draft(number));
                continue;
            }
            let Some(number) = layout::number_of(&name, ENDING) else { continue };
            scan.next_number = scan.next_number.max(number + 1);
            found.extend(scan.read_file(disk, number).await?);
        }
        found.sort_by_key(|(file, _)| file.current.generation);
        for (file, (journal_file, blocks)) in found.into_iter().enumerate() {
            scan.files.push(journal_file);
            scan.blocks.extend(blocks.into_iter().map(|(offset, fields)| FoundBlock { file, offset, fields }));
        }
        Ok(scan)
    }

    /// The file with the blocks of its present use; `None` for what is no file of the log.
    async fn read_file(
        &mut self,
        disk: &Arc<dyn Disk>,
        number: u64,
    ) -> Result<Option<(JournalFile, Vec<Found>)>, Error> {
        let path = layout::journal_file(number);
        let file = disk.open(&path).await?;
        let bytes = file.len().await?;
        let damaged =
            |what, newest_lsn| DamagedFile { damage: Damage { file: path.clone(), offset: 0, what }, newest_lsn };
        let Some(header) = Header::of_file(&file.read_at(0, HEADER_BYTES as usize).await?) else {
            // A header is never unreadable for want of power: its copies are written one after the other.
            match find_blocks(&file, bytes, bytes, |_| true).await?.iter().map(|(_, fields)| fields.place.lsn).max() {
                Some(newest) => {
                    let what = format!("both copies of the header are damaged; it holds blocks up to {newest}");
                    self.damaged.push(damaged(what, newest));
                }
                None => self.unfinished.push(path),
            }
            return Ok(None);
        };
        let current = header.current;
        let present =
            |fields: &Fields| fields.place.generation == current.generation && fields.place.salt == current.salt;
        let blocks = find_blocks(&file, bytes, header.bytes, |fields| {
            present(fields) || planted::active(Bug::StaleFrameReplayed)
        })
        .await?;
        if bytes < header.bytes {
            if blocks.is_empty() {
                self.unfinished.push(path);
                return Ok(None);
            }
            let what = format!("it has {bytes} bytes, and had {}: blocks may be missing", header.bytes);
            self.damaged.push(damaged(what, u64::MAX));
        }
        Ok(Some((JournalFile { number, current, bytes: bytes.min(header.bytes), file }, blocks)))
    }

    /// Whether the file is not as it was made.
    pub(crate) fn is_damaged(&self, number: u64) -> bool {
        let path = layout::journal_file(number);
        self.damaged.iter().any(|damaged| damaged.damage.file == path)
    }

    /// The block's bytes, header included.
    pub(crate) async fn block_bytes(&self, found: &FoundBlock) -> Result<Bytes, Error> {
        let length = (found.end() - found.offset) as usize;
        Ok(self.files[found.file].file.read_at(found.offset, length).await?)
    }

    pub(crate) fn damage(&self, file: usize, offset: u64, what: impl Into<String>) -> Damage {
        Damage { file: layout::journal_file(self.files[file].number), offset, what: what.into() }
    }
}

/// A block and where it begins.
type Found = (u64, Fields);

/// All blocks of a file that are `wanted`, searching on page by page where one is missing.
///
/// `made_bytes` is the length that the file was made with, where it has become shorter.
async fn find_blocks(
    file: &Arc<dyn File>,
    bytes: u64,
    made_bytes: u64,
    wanted: impl Fn(&Fields) -> bool,
) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    let mut at = HEADER_BYTES;
    let mut chunk = Bytes::new();
    let mut chunk_at = 0;
    while at < bytes {
        if at < chunk_at || at >= chunk_at + chunk.len() as u64 {
            chunk = read_pages(file, at, bytes).await?;
            chunk_at = at;
        }
        let fields = chunk.get((at - chunk_at) as usize..).and_then(Fields::read);
        match fields.filter(|fields| fits(fields, made_bytes, at) && wanted(fields)) {
            Some(fields) => {
                found.push((at, fields));
                at += block::stored_len(fields.body_len);
            }
            None => at += ALIGNMENT,
        }
    }
    Ok(found)
}

async fn read_pages(file: &Arc<dyn File>, at: u64, end: u64) -> Result<Bytes, Error> {
    let length = ((end - at) as usize).min(SEARCH_CHUNK);
    let bytes = file.read_at(at, length).await?;
    if bytes.is_empty() {
        let error =
            std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "a journal file became shorter while it was read");
        return Err(error.into());
    }
    Ok(bytes)
}

fn fits(fields: &Fields, bytes: u64, at: u64) -> bool {
    fields.body_len < bytes && at + block::stored_len(fields.body_len) <= bytes
}
