//! Reads journal files as they lie on disk and says what is in them. Changes nothing; used by recovery and by inspection.

use std::sync::Arc;

use bytes::Bytes;
use env::{Disk, File};
use types::planted::{self, Bug};

use crate::block::{self, ALIGNMENT, Fields};
use crate::file::{HEADER_BYTES, JournalFile, Use};
use crate::{Damage, Error, layout};

const ENDING: &str = "journal";
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

/// Everything in the journal directory.
pub(crate) struct Scan {
    /// In the order of use.
    pub(crate) files: Vec<JournalFile>,
    /// In the order of the log.
    pub(crate) blocks: Vec<FoundBlock>,
    /// Files whose making was interrupted: nothing was ever stored in them.
    pub(crate) unfinished: Vec<String>,
    /// Greater than every number in use.
    pub(crate) next_number: u64,
}

impl Scan {
    pub(crate) async fn read(disk: &Arc<dyn Disk>) -> Result<Self, Error> {
        let mut scan = Self { files: Vec::new(), blocks: Vec::new(), unfinished: Vec::new(), next_number: 0 };
        for name in disk.list(layout::JOURNAL_DIR).await? {
            let Some(number) = layout::number_of(&name, ENDING) else { continue };
            scan.next_number = scan.next_number.max(number + 1);
            let path = layout::journal_file(number);
            let file = disk.open(&path).await?;
            let bytes = file.len().await?;
            match Use::of_file(&file.read_at(0, HEADER_BYTES as usize).await?) {
                Some(current) => scan.files.push(JournalFile { number, current, bytes, file }),
                None => scan.unfinished.push(path),
            }
        }
        scan.files.sort_by_key(|file| file.current.generation);
        for file in 0..scan.files.len() {
            let found = find_blocks(&scan.files[file]).await?;
            scan.blocks.extend(found.into_iter().map(|(offset, fields)| FoundBlock { file, offset, fields }));
        }
        Ok(scan)
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

/// All blocks of a file's present use, searching on page by page where one is missing.
async fn find_blocks(file: &JournalFile) -> Result<Vec<(u64, Fields)>, Error> {
    let mut found = Vec::new();
    let mut at = HEADER_BYTES;
    let mut chunk = Bytes::new();
    let mut chunk_at = 0;
    while at < file.bytes {
        if at < chunk_at || at >= chunk_at + chunk.len() as u64 {
            chunk = read_pages(&file.file, at, file.bytes).await?;
            chunk_at = at;
        }
        let fields = chunk.get((at - chunk_at) as usize..).and_then(Fields::read);
        match fields.filter(|fields| belongs(fields, file, at)) {
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

fn belongs(fields: &Fields, file: &JournalFile, at: u64) -> bool {
    let fits = fields.body_len < file.bytes && at + block::stored_len(fields.body_len) <= file.bytes;
    let present = fields.place.generation == file.current.generation && fields.place.salt == file.current.salt;
    fits && (present || planted::active(Bug::StaleFrameReplayed))
}
