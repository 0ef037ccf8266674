//! One block: all frames that the journal wrote in one write and made durable by one sync.
//!
//! A block begins on a 4 KiB boundary and is padded to one, so that no later write touches the pages of a synced block: damage to
//! a synced block is never explained by an interrupted write. It names the file it was written for (`salt`, `generation`) and
//! its place in the log (`lsn`), so that what a recycled file held before never replays, and the newest block known to be synced
//! when it was written (`synced_lsn`), so that recovery can tell damage from an interrupted write.
//!
//! Layout, little endian: `magic u32, header_crc u32, salt u64, generation u64, lsn u64, synced_lsn u64, body_len u64,
//! frame_count u32, table_crc u32, reserved u64`; then the table: the headers of all frames; then their payloads in the same
//! order; then zeros. The table stands before the payloads so that recovery knows whose payload is damaged.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::frame::{FRAME_HEADER_LEN, Frame, Header};

/// Blocks begin and end on multiples of this.
pub(crate) const ALIGNMENT: u64 = 4096;
/// Bytes before the table.
pub(crate) const BLOCK_HEADER_LEN: usize = 64;

const MAGIC: u32 = u32::from_le_bytes(*b"TWB1");
static ZEROS: [u8; ALIGNMENT as usize] = [0; ALIGNMENT as usize];

/// Where a block stands in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockPlace {
    /// The file's random number, unknown to clients, so that no record can pretend to be a block.
    pub(crate) salt: u64,
    /// Which use of the file this is.
    pub(crate) generation: u64,
    /// The block's number in the journal, counted from 1 without a hole.
    pub(crate) lsn: u64,
    /// The newest block known to be synced when this one was written.
    pub(crate) synced_lsn: u64,
}

/// The file space of a block with a body of `body_len` bytes.
pub(crate) fn stored_len(body_len: u64) -> u64 {
    (BLOCK_HEADER_LEN as u64 + body_len).next_multiple_of(ALIGNMENT)
}

/// The body of a block that holds `frames`.
pub(crate) fn body_len<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> u64 {
    frames.into_iter().map(|frame| frame.encoded_len() as u64).sum()
}

/// Encodes a block as slices for one vectored write. Payloads are shared, not copied.
pub(crate) fn encode(place: BlockPlace, frames: &[Frame]) -> Vec<Bytes> {
    let body_len = body_len(frames);
    let mut head = BytesMut::with_capacity(BLOCK_HEADER_LEN + frames.len() * FRAME_HEADER_LEN);
    head.put_bytes(0, BLOCK_HEADER_LEN);
    frames.iter().for_each(|frame| frame.put_header(&mut head));
    let table_crc = crc32c::crc32c(&head[BLOCK_HEADER_LEN..]);
    let header = Fields { place, body_len, frame_count: frames.len() as u32, table_crc };
    head[..BLOCK_HEADER_LEN].copy_from_slice(&header.encode());

    let mut slices = Vec::with_capacity(frames.len() + 2);
    slices.push(head.freeze());
    slices.extend(frames.iter().filter(|frame| !frame.payload.is_empty()).map(|frame| frame.payload.clone()));
    let padding = stored_len(body_len) - BLOCK_HEADER_LEN as u64 - body_len;
    slices.push(Bytes::from_static(&ZEROS[..padding as usize]));
    slices
}

/// What a block's header says, once its checksum is known to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    /// Where the block stands.
    pub(crate) place: BlockPlace,
    /// Bytes of table and payloads.
    pub(crate) body_len: u64,
    /// Frames in the block; zero in a mark that only says what is synced.
    pub(crate) frame_count: u32,
    /// Checksum of the table.
    pub(crate) table_crc: u32,
}

impl Fields {
    fn encode(&self) -> [u8; BLOCK_HEADER_LEN] {
        let mut bytes = [0u8; BLOCK_HEADER_LEN];
        let mut out = &mut bytes[8..];
        out.put_u64_le(self.place.salt);
        out.put_u64_le(self.place.generation);
        out.put_u64_le(self.place.lsn);
        out.put_u64_le(self.place.synced_lsn);
        out.put_u64_le(self.body_len);
        out.put_u32_le(self.frame_count);
        out.put_u32_le(self.table_crc);
        let crc = crc32c::crc32c(&bytes[8..]);
        bytes[..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a block's header; `None` if there is none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.get(..BLOCK_HEADER_LEN)?;
        let magic = rest.get_u32_le();
        let crc = rest.get_u32_le();
        if magic != MAGIC || crc != crc32c::crc32c(rest) {
            return None;
        }
        let place = BlockPlace {
            salt: rest.get_u64_le(),
            generation: rest.get_u64_le(),
            lsn: rest.get_u64_le(),
            synced_lsn: rest.get_u64_le(),
        };
        Some(Self { place, body_len: rest.get_u64_le(), frame_count: rest.get_u32_le(), table_crc: rest.get_u32_le() })
    }
}

/// What is found where a block's header is intact.
pub(crate) enum Body {
    /// Every frame is as it was written.
    Intact(Vec<Frame>),
    /// The table is intact, some payloads are not: the intact frames, and the headers of the others.
    DamagedPayloads(Vec<Frame>, Vec<Header>),
    /// The table itself is damaged: nobody knows whose frames these were.
    DamagedTable,
}

/// Reads the body of the block at the front of `bytes`, which may reach beyond it. Payloads are copied, so that a small record
/// does not keep a whole journal file in memory.
pub(crate) fn read_body(fields: &Fields, bytes: &[u8]) -> Body {
    let table_len = fields.frame_count as usize * FRAME_HEADER_LEN;
    let Some(body) = bytes.get(BLOCK_HEADER_LEN..).and_then(|rest| rest.get(..fields.body_len as usize)) else {
        return Body::DamagedTable;
    };
    let Some(table) = body.get(..table_len) else { return Body::DamagedTable };
    if crc32c::crc32c(table) != fields.table_crc {
        return Body::DamagedTable;
    }
    let mut payloads = &body[table_len..];
    let mut frames = Vec::with_capacity(fields.frame_count as usize);
    let mut damaged = Vec::new();
    for header in table.chunks_exact(FRAME_HEADER_LEN) {
        let Some(header) = Frame::read_header(header) else { return Body::DamagedTable };
        let Some((payload, rest)) = payloads.split_at_checked(header.payload_len as usize) else {
            return Body::DamagedTable;
        };
        payloads = rest;
        match header.frame(Bytes::copy_from_slice(payload)) {
            Some(frame) => frames.push(frame),
            None => damaged.push(header),
        }
    }
    if damaged.is_empty() { Body::Intact(frames) } else { Body::DamagedPayloads(frames, damaged) }
}

#[cfg(test)]
mod tests {
    use types::GroupId;

    use super::*;
    use crate::{FrameKind, LogId};

    fn block() -> (BlockPlace, Vec<Frame>, Vec<u8>) {
        let place = BlockPlace { salt: 11, generation: 2, lsn: 5, synced_lsn: 4 };
        let frames: Vec<_> = (0..3u64)
            .map(|n| {
                let payload = vec![n as u8; 3000 * n as usize];
                Frame::new(GroupId(n), FrameKind::Normal, LogId { term: 1, index: n }, 0, payload.into())
            })
            .collect();
        let bytes = encode(place, &frames).concat();
        (place, frames, bytes)
    }

    #[test]
    fn a_block_is_aligned_and_reads_back() {
        let (place, frames, bytes) = block();
        assert_eq!(bytes.len() as u64 % ALIGNMENT, 0);
        let fields = Fields::read(&bytes).unwrap();
        assert_eq!(fields.place, place);
        assert_eq!(stored_len(fields.body_len), bytes.len() as u64);
        let Body::Intact(read) = read_body(&fields, &bytes) else { panic!("damaged") };
        assert_eq!(read, frames);
    }

    #[test]
    fn a_damaged_payload_names_its_group_and_a_damaged_table_does_not() {
        let (_, _, bytes) = block();
        let fields = Fields::read(&bytes).unwrap();
        let mut rotten = bytes.clone();
        let in_last_payload = BLOCK_HEADER_LEN + fields.body_len as usize - 1;
        rotten[in_last_payload] ^= 1;
        let Body::DamagedPayloads(_, headers) = read_body(&fields, &rotten) else { panic!("not noticed") };
        assert_eq!(headers.iter().map(|header| header.group).collect::<Vec<_>>(), [GroupId(2)]);

        let mut rotten = bytes.clone();
        rotten[BLOCK_HEADER_LEN + 20] ^= 1;
        assert!(matches!(read_body(&fields, &rotten), Body::DamagedTable));
        let mut rotten = bytes;
        rotten[20] ^= 1;
        assert!(Fields::read(&rotten).is_none());
    }
}
