//! One stored record, little endian:
//!
//! | bytes | meaning |
//! |---|---|
//! | 4 | length of the data |
//! | 2 | length of the partition key in bytes |
//! | 1 | flags; bit 0: an explicit hash key follows the partition key |
//! | n | partition key, UTF-8 |
//! | 0 or 16 | explicit hash key |
//! | n | data |

use bytes::{Buf, BufMut, Bytes, BytesMut};
use types::HashKey;
use types::limits::{PARTITION_KEY_BYTES_MAX, RECORD_BYTES_MAX};

use crate::FormatError;

/// What a record takes besides its partition key, its explicit hash key (16 bytes if any) and its data.
pub const RECORD_OVERHEAD_BYTES: usize = 7;

const FLAG_EXPLICIT_HASH_KEY: u8 = 1;
const HASH_KEY_BYTES: usize = 16;

/// One record: slices of the entry that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// UTF-8, 1 to 256 characters.
    pub partition_key: Bytes,
    /// The hash key that the client gave instead of the partition key's own.
    pub explicit_hash_key: Option<HashKey>,
    /// The client's bytes.
    pub data: Bytes,
}

impl Record {
    /// The partition key as text.
    ///
    /// # Errors
    /// [`FormatError::PartitionKey`] when it isn't UTF-8, which only damage can cause.
    pub fn partition_key_str(&self) -> Result<&str, FormatError> {
        std::str::from_utf8(&self.partition_key).map_err(|_| FormatError::PartitionKey)
    }
}

/// Appends all of a record but its data.
///
/// Panics when a length exceeds the limits of the service: requests are validated long before.
pub(crate) fn append_head(out: &mut BytesMut, partition_key: &str, explicit: Option<HashKey>, data_len: usize) {
    assert!(partition_key.len() <= PARTITION_KEY_BYTES_MAX, "partition key of {} bytes", partition_key.len());
    assert!(data_len as u64 <= RECORD_BYTES_MAX, "record of {data_len} bytes");
    // Both casts are exact: `limits` asserts that the bounds above fit their fields.
    out.put_u32_le(data_len as u32);
    out.put_u16_le(partition_key.len() as u16);
    out.put_u8(if explicit.is_some() { FLAG_EXPLICIT_HASH_KEY } else { 0 });
    out.put_slice(partition_key.as_bytes());
    if let Some(hash_key) = explicit {
        out.put_u128_le(hash_key.0);
    }
}

/// Where the parts of the record at the beginning of some bytes lie.
struct Layout {
    key_end: usize,
    explicit: bool,
    data_start: usize,
    end: usize,
}

impl Layout {
    fn of(bytes: &[u8]) -> Result<Layout, FormatError> {
        let mut head = bytes;
        let data_len = head.try_get_u32_le()? as usize;
        let key_len = usize::from(head.try_get_u16_le()?);
        let flags = head.try_get_u8()?;
        if flags & !FLAG_EXPLICIT_HASH_KEY != 0 {
            return Err(FormatError::Flags(flags));
        }
        let explicit = flags & FLAG_EXPLICIT_HASH_KEY != 0;
        let key_end = RECORD_OVERHEAD_BYTES + key_len;
        let data_start = key_end + if explicit { HASH_KEY_BYTES } else { 0 };
        let end = data_start + data_len;
        if end > bytes.len() { Err(FormatError::Truncated) } else { Ok(Layout { key_end, explicit, data_start, end }) }
    }
}

/// The records of a batch or of a put, in order, as slices of its bytes. After an error it ends.
#[derive(Debug, Clone)]
pub struct RecordIter {
    bytes: Bytes,
    left: u32,
}

impl RecordIter {
    /// Reads `count` records, which must be all that `bytes` holds.
    #[must_use]
    pub fn new(bytes: Bytes, count: u32) -> RecordIter {
        RecordIter { bytes, left: count }
    }

    /// How many records are still to come.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Passes over up to `count` records without making slices of them.
    ///
    /// # Errors
    /// [`FormatError`] when the bytes are malformed.
    pub fn skip_records(&mut self, count: u32) -> Result<(), FormatError> {
        let target = self.left.saturating_sub(count);
        while self.left > target {
            let layout = self.layout()?;
            self.bytes.advance(layout.end);
        }
        self.end_is_good()
    }

    /// The layout of the next record, which is counted as taken. An error takes all.
    fn layout(&mut self) -> Result<Layout, FormatError> {
        let layout = Layout::of(&self.bytes);
        self.left = if layout.is_ok() { self.left - 1 } else { 0 };
        layout
    }

    fn end_is_good(&mut self) -> Result<(), FormatError> {
        match (self.left, self.bytes.len()) {
            (0, excess) if excess > 0 => Err(FormatError::Excess(excess)),
            _ => Ok(()),
        }
    }

    fn take(&mut self) -> Result<Record, FormatError> {
        let layout = self.layout()?;
        let record = self.bytes.split_to(layout.end);
        self.end_is_good()?;
        let explicit_hash_key = match layout.explicit {
            true => Some(HashKey((&record[layout.key_end..]).try_get_u128_le()?)),
            false => None,
        };
        let partition_key = record.slice(RECORD_OVERHEAD_BYTES..layout.key_end);
        Ok(Record { partition_key, explicit_hash_key, data: record.slice(layout.data_start..) })
    }
}

impl Iterator for RecordIter {
    type Item = Result<Record, FormatError>;

    fn next(&mut self) -> Option<Result<Record, FormatError>> {
        (self.left > 0).then(|| self.take())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // Malformed bytes end early, and a count can be larger than memory: promise as little as the bytes hold.
        let most = (self.left as usize).min(self.bytes.len() / RECORD_OVERHEAD_BYTES + 1);
        (most.min(1), Some(most))
    }
}
