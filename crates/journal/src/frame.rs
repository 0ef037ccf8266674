//! One frame: the encoded bytes of one Raft entry, or of a change to a group's hard state.
//!
//! The same bytes stand in the journal, on the wire, in memory and in segments. Nothing in a frame depends on where it stands;
//! what does (file generation, log sequence number) is in the block around it, see [`crate::block`].
//!
//! Layout, little endian: `payload_len u32, crc32c u32, kind u8, version u8, reserved [u8; 6], group u64, term u64, index u64,
//! aux u64`, then the payload. The checksum covers everything but itself.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use types::GroupId;

use crate::{LogId, Vote};

/// Bytes of a frame before its payload.
pub const FRAME_HEADER_LEN: usize = 48;

/// The format this build writes and reads.
const VERSION: u8 = 1;

/// What a frame says. The numbers are on disk: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// An entry without content, by which a new leader commits what its predecessors left.
    Blank = 1,
    /// An entry for the state machine.
    Normal = 2,
    /// An entry that changes the group's replicas.
    Membership = 3,
    /// The replica's vote: `term`, and `aux` = node << 1 | committed.
    Vote = 4,
    /// The newest log id known to be committed. Not synced for its own sake.
    Committed = 5,
    /// The log ends at `term`/`index`; `aux` = 1 if it is emptied altogether.
    Truncate = 6,
    /// Entries up to `term`/`index` are gone: they have passed their retention or are in the snapshot.
    Purge = 7,
    /// The group's snapshot at `term`/`index`; the payload is its state.
    Snapshot = 8,
    /// The group has left this node; nothing of it remains.
    Drop = 9,
}

impl FrameKind {
    fn from_u8(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::Blank,
            2 => Self::Normal,
            3 => Self::Membership,
            4 => Self::Vote,
            5 => Self::Committed,
            6 => Self::Truncate,
            7 => Self::Purge,
            8 => Self::Snapshot,
            9 => Self::Drop,
            _ => return None,
        })
    }

    /// Whether the frame is an entry of the group's log.
    pub fn is_entry(self) -> bool {
        matches!(self, Self::Blank | Self::Normal | Self::Membership)
    }
}

/// A frame in memory. Cloning it shares the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The group it belongs to.
    pub group: GroupId,
    /// What it says.
    pub kind: FrameKind,
    /// The entry's position, or the position the frame speaks of.
    pub log_id: LogId,
    /// A small value whose meaning depends on the kind.
    pub aux: u64,
    /// The entry's content.
    pub payload: Bytes,
    crc: u32,
}

impl Frame {
    /// Makes a frame and computes its checksum, once for its whole life.
    pub fn new(group: GroupId, kind: FrameKind, log_id: LogId, aux: u64, payload: Bytes) -> Self {
        let mut frame = Self { group, kind, log_id, aux, payload, crc: 0 };
        frame.crc = frame.checksum();
        frame
    }

    /// The frame that records a vote.
    pub fn vote(group: GroupId, vote: Vote) -> Self {
        let aux = vote.node << 1 | u64::from(vote.committed);
        Self::new(group, FrameKind::Vote, LogId { term: vote.term, index: 0 }, aux, Bytes::new())
    }

    /// The vote of a frame of that kind.
    pub fn to_vote(&self) -> Vote {
        assert_eq!(self.kind, FrameKind::Vote);
        Vote { term: self.log_id.term, node: self.aux >> 1, committed: self.aux & 1 == 1 }
    }

    /// Bytes of the whole encoded frame.
    pub fn encoded_len(&self) -> usize {
        FRAME_HEADER_LEN + self.payload.len()
    }

    /// Appends the header; the payload follows wherever the caller puts it.
    pub fn put_header(&self, out: &mut BytesMut) {
        self.put_header_with(self.crc, out);
    }

    fn put_header_with(&self, crc: u32, out: &mut impl BufMut) {
        out.put_u32_le(self.payload.len() as u32);
        out.put_u32_le(crc);
        out.put_u8(self.kind as u8);
        out.put_u8(VERSION);
        out.put_bytes(0, 6);
        out.put_u64_le(self.group.0);
        out.put_u64_le(self.log_id.term);
        out.put_u64_le(self.log_id.index);
        out.put_u64_le(self.aux);
    }

    fn checksum(&self) -> u32 {
        let mut header = [0u8; FRAME_HEADER_LEN];
        self.put_header_with(0, &mut &mut header[..]);
        crc32c::crc32c_append(crc32c::crc32c(&header), &self.payload)
    }

    /// Reads a header and verifies nothing but its form; `None` if it isn't one. The payload is attached by [`Header::frame`].
    pub fn read_header(mut bytes: &[u8]) -> Option<Header> {
        if bytes.len() < FRAME_HEADER_LEN {
            return None;
        }
        let payload_len = bytes.get_u32_le();
        let crc = bytes.get_u32_le();
        let kind = FrameKind::from_u8(bytes.get_u8())?;
        if bytes.get_u8() != VERSION || bytes[..6] != [0; 6] {
            return None;
        }
        bytes.advance(6);
        let group = GroupId(bytes.get_u64_le());
        let log_id = LogId { term: bytes.get_u64_le(), index: bytes.get_u64_le() };
        let aux = bytes.get_u64_le();
        Some(Header { payload_len, crc, kind, group, log_id, aux })
    }

    /// Reads a whole frame from the front of `bytes`; `None` if the form or the checksum is wrong.
    pub fn read(bytes: &Bytes) -> Option<Self> {
        let header = Self::read_header(bytes)?;
        let end = FRAME_HEADER_LEN.checked_add(header.payload_len as usize)?;
        if bytes.len() < end {
            return None;
        }
        header.frame(bytes.slice(FRAME_HEADER_LEN..end))
    }
}

/// A frame's header, read before its payload is at hand.
#[derive(Clone, Debug)]
pub struct Header {
    /// Bytes of the payload.
    pub payload_len: u32,
    /// The checksum as stored.
    pub crc: u32,
    /// What the frame says.
    pub kind: FrameKind,
    /// Its group.
    pub group: GroupId,
    /// Its position.
    pub log_id: LogId,
    /// Its small value.
    pub aux: u64,
}

impl Header {
    /// The frame, if `payload` is what the checksum was made for.
    pub fn frame(&self, payload: Bytes) -> Option<Frame> {
        let frame =
            Frame { group: self.group, kind: self.kind, log_id: self.log_id, aux: self.aux, payload, crc: self.crc };
        let intact = frame.payload.len() == self.payload_len as usize && frame.checksum() == self.crc;
        intact.then_some(frame)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(frame: &Frame) -> Bytes {
        let mut out = BytesMut::new();
        frame.put_header(&mut out);
        out.extend_from_slice(&frame.payload);
        out.freeze()
    }

    #[test]
    fn layout_on_disk_is_as_documented() {
        let frame =
            Frame::new(GroupId(7), FrameKind::Normal, LogId { term: 3, index: 9 }, 1, Bytes::from_static(b"ab"));
        let hex: String = encode(&frame).iter().map(|byte| format!("{byte:02x}")).collect();
        let crc: String = frame.crc.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            format!(
                "02000000{crc}0201000000000000070000000000000003000000000000000900000000000000010000000000000061 62"
            )
            .replace(' ', "")
        );
    }

    proptest! {
        #[test]
        fn reading_returns_what_was_written(group: u64, term: u64, index: u64, aux: u64, payload: Vec<u8>) {
            let frame = Frame::new(GroupId(group), FrameKind::Normal, LogId { term, index }, aux, payload.into());
            prop_assert_eq!(Frame::read(&encode(&frame)), Some(frame));
        }

        #[test]
        fn any_flipped_bit_is_noticed(payload in proptest::collection::vec(any::<u8>(), 0..64), at: prop::sample::Index, bit in 0..8u8) {
            let frame = Frame::new(GroupId(1), FrameKind::Blank, LogId { term: 1, index: 1 }, 0, payload.into());
            let mut bytes = encode(&frame).to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Frame::read(&bytes.into()), None);
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            let _ = Frame::read(&bytes.into());
        }
    }
}
