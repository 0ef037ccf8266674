//! One file of the journal: a header, then blocks. Files are made and zeroed ahead, used up from front to back, and recycled once
//! everything in them is in segments. Each use has a greater generation and a salt of its own, which every block repeats.
//!
//! The header stands twice, each copy in a page of its own, so that no single damage makes a file in use look like a spare one.
//! Layout of a copy, little endian: `magic u64, crc u32, version u32, generation u64, salt u64`.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use env::{Disk, File};

use crate::Error;
use crate::block::ALIGNMENT;
use crate::layout;

/// Bytes before the first block.
pub(crate) const HEADER_BYTES: u64 = 2 * ALIGNMENT;

const MAGIC: u64 = u64::from_le_bytes(*b"THALWEGJ");
const VERSION: u32 = 1;
const COPY_LEN: usize = 32;
/// Zeros are written in pieces of this size when a file is made.
const ZERO_CHUNK: usize = 1 << 20;
static ZEROS: [u8; ZERO_CHUNK] = [0; ZERO_CHUNK];

/// Which use of a file this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) generation: u64,
    pub(crate) salt: u64,
}

impl Use {
    fn encode(self) -> Bytes {
        let mut page = BytesMut::zeroed(ALIGNMENT as usize);
        let mut out = &mut page[12..COPY_LEN];
        out.put_u32_le(VERSION);
        out.put_u64_le(self.generation);
        out.put_u64_le(self.salt);
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
        Some(Self { generation: bytes.get_u64_le(), salt: bytes.get_u64_le() })
    }

    /// The newer of the two copies at the front of `bytes`: a file being recycled may still have an old one.
    pub(crate) fn of_file(bytes: &[u8]) -> Option<Self> {
        let copies = [bytes, bytes.get(ALIGNMENT as usize..).unwrap_or_default()];
        copies.into_iter().filter_map(Self::read).max_by_key(|copy| copy.generation)
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
    /// Makes a new file, written full of zeros so that later syncs need not record a new length or new blocks.
    pub(crate) async fn create(disk: &Arc<dyn Disk>, number: u64, bytes: u64, current: Use) -> Result<Self, Error> {
        let path = layout::journal_file(number);
        let file = disk.create(&path).await?;
        let made = Self { number, current, bytes, file };
        match made.zero().await {
            Ok(()) => {
                disk.sync_dir(layout::JOURNAL_DIR).await?;
                Ok(made)
            }
            Err(error) => {
                disk.remove(&path).await?;
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

    /// Writes both copies of the header and syncs the file.
    pub(crate) async fn write_header(&self) -> Result<(), Error> {
        let page = self.current.encode();
        self.file.write_at(0, vec![page.clone(), page]).await?;
        Ok(self.file.sync().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_copy_of_the_header_suffices() {
        let current = Use { generation: 3, salt: 77 };
        let page = current.encode();
        let bytes = [page.clone(), page].concat();
        for at in [0, 9, 15, ALIGNMENT as usize, ALIGNMENT as usize + 20] {
            let mut rotten = bytes.clone();
            rotten[at] ^= 1;
            assert_eq!(Use::of_file(&rotten), Some(current), "damage at {at}");
        }
        assert_eq!(Use::of_file(&[0; 64]), None);
    }
}
