//! One file of the journal: a header, then blocks. Files are made and zeroed ahead, used up from front to back, and recycled once
//! everything in them is in segments. Each use has a greater generation and a salt of its own, which every block repeats.
//!
//! The header stands twice, each copy in a page of its own and synced before the other is touched, so that neither a loss of power
//! nor any single damage makes a file in use look like one that was never finished. It says how long the file is, so that a file that
//! was cut is told from a shorter one.
//! Layout of a copy, little endian: `magic u64, crc u32, version u32, generation u64, salt u64, bytes u64`.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use env::{Disk, File};

use crate::Error;
use crate::block::ALIGNMENT;
use crate::layout;

/// Bytes before the first block.
pub(crate) const HEADER_BYTES: u64 = 2 * ALIGNMENT;

const MAGIC: u64 = u64::from_le_bytes(*b"THALWEGJ");
const VERSION: u32 = 2;
const COPY_LEN: usize = 40;
/// Zeros are written in pieces of this size when a file is made.
const ZERO_CHUNK: usize = 1 << 20;
static ZEROS: [u8; ZERO_CHUNK] = [0; ZERO_CHUNK];

/// Which use of a file this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) generation: u64,
    pub(crate) salt: u64,
}

/// What a file's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) current: Use,
    /// The file's length.
    pub(crate) bytes: u64,
}

impl Header {
    fn encode(self) -> Bytes {
        let mut page = BytesMut::zeroed(ALIGNMENT as usize);
        let mut out = &mut page[12..COPY_LEN];
        out.put_u32_le(VERSION);
        out.put_u64_le(self.current.generation);
        out.put_u64_le(self.current.salt);
        out.put_u64_le(self.bytes);
        let crc = crc32c::crc32c(&page[12..COPY_LEN]);
        page[..8].copy_from_slice(&MAGIC.to_le_bytes());
        page[8..12].copy_from_slice(&crc.to_le_bytes());
        page.freeze()
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        if bytes.len() < COPY_LEN || bytes.get_u64_le() != MAGIC {
            return None;
        }
        let crc = bytes.get_u32_le();
        if crc != crc32c::crc32c(&bytes[..COPY_LEN - 12]) || bytes.get_u32_le() != VERSION {
            return None;
        }
        let current = Use { generation: bytes.get_u64_le(), salt: bytes.get_u64_le() };
        Some(Self { current, bytes: bytes.get_u64_le() })
    }

    /// The newer of the two copies at the front of `bytes`: a file being recycled may still have an old one.
    pub(crate) fn of_file(bytes: &[u8]) -> Option<Self> {
        let copies = [bytes, bytes.get(ALIGNMENT as usize..).unwrap_or_default()];
        copies.into_iter().filter_map(Self::read).max_by_key(|copy| copy.current.generation)
    }
}

/// A journal file, ready to be written.
#[derive(Clone)]
pub(crate) struct JournalFile {
    pub(crate) number: u64,
    pub(crate) current: Use,
    pub(crate) bytes: u64,
    pub(crate) file: Arc<dyn File>,
}

impl JournalFile {
    /// Makes a new file, written full of zeros so that later syncs need not record a new length or new blocks. It gets its name when all of
    /// it is synced: after a failed sync it may look whole in the page cache, and a later start would rely on a length that no
    /// further sync records.
    pub(crate) async fn create(disk: &Arc<dyn Disk>, number: u64, bytes: u64, current: Use) -> Result<Self, Error> {
        let draft = layout::journal_draft(number);
        let file = disk.create(&draft).await?;
        let made = Self { number, current, bytes, file };
        let whole = async {
            made.zero().await?;
            Ok(disk.rename(&draft, &layout::journal_file(number)).await?)
        };
        match whole.await {
            Ok(()) => {
                disk.sync_dir(layout::JOURNAL_DIR).await?;
                Ok(made)
            }
            Err(error) => {
                disk.remove(&draft).await?;
                Err(error)
            }
        }
    }

    async fn zero(&self) -> Result<(), Error> {
        let mut at = HEADER_BYTES;
        while at < self.bytes {
            let length = (self.bytes - at).min(ZERO_CHUNK as u64);
            self.file.write_at(at, vec![Bytes::from_static(&ZEROS[..length as usize])]).await?;
            at += length;
        }
        self.write_header().await
    }

    /// Begins a new use of the file. Blocks of earlier uses are never read again from here on.
    pub(crate) async fn recycle(mut self, current: Use) -> Result<Self, Error> {
        assert!(current.generation > self.current.generation, "generations only grow");
        self.current = current;
        self.write_header().await?;
        Ok(self)
    }

    /// Writes both copies of the header and syncs the file: the second copy only when the first is durable.
    pub(crate) async fn write_header(&self) -> Result<(), Error> {
        let page = Header { current: self.current, bytes: self.bytes }.encode();
        for at in [0, ALIGNMENT] {
            self.file.write_at(at, vec![page.clone()]).await?;
            self.file.sync().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_copy_of_the_header_suffices() {
        let header = Header { current: Use { generation: 3, salt: 77 }, bytes: 1 << 26 };
        let page = header.encode();
        let bytes = [page.clone(), page].concat();
        for at in [0, 9, 15, ALIGNMENT as usize, ALIGNMENT as usize + 20] {
            let mut rotten = bytes.clone();
            rotten[at] ^= 1;
            assert_eq!(Header::of_file(&rotten), Some(header), "damage at {at}");
        }
        assert_eq!(Header::of_file(&[0; 64]), None);
    }

    #[test]
    fn layout_on_disk_is_as_documented() {
        let page = Header { current: Use { generation: 3, salt: 77 }, bytes: 1 << 26 }.encode();
        let crc = crc32c::crc32c(&page[12..40]).to_le_bytes();
        let fields = [
            &b"THALWEGJ"[..],
            &crc,
            &[2, 0, 0, 0],
            &3u64.to_le_bytes(),
            &77u64.to_le_bytes(),
            &[0, 0, 0, 4, 0, 0, 0, 0],
        ];
        assert_eq!(page[..40], fields.concat());
        assert!(page.len() == 4096 && page[40..].iter().all(|byte| *byte == 0));
    }
}
