//! One frame of a connection: a header, then the message's head, then its body.
//!
//! Layout of the header, little endian: `body_len u32, head_len u32, id u64, group u64, deadline_ms u32, head_crc u32, kind u8,
//! service u8, reserved u16, header_crc u32`. The header's CRC32C covers all before it, so that no length is believed that was not
//! sent; the head has its own. The body has none here: what the journal wrote brings its own.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use types::GroupId;

use crate::Service;

/// Bytes of the header.
pub(crate) const HEADER_LEN: usize = 40;

/// What a frame is. The numbers are on the wire: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A call.
    Request = 1,
    /// Its answer.
    Answer = 2,
    /// That it is not answered, and why: the head is a [`crate::refusal`].
    Refusal = 3,
    /// Nothing, but the connection lives. No head, no body.
    Ping = 4,
}

impl Kind {
    fn from_u8(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::Request,
            2 => Self::Answer,
            3 => Self::Refusal,
            4 => Self::Ping,
            _ => return None,
        })
    }
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the header's checksum is wrong")]
    HeaderChecksum,
    #[error("the head's checksum is wrong")]
    HeadChecksum,
    #[error("unknown kind {0}")]
    Kind(u8),
    #[error("reserved bytes are set")]
    Reserved,
    #[error("{0} bytes are too large")]
    TooLarge(u64),
    #[error("a frame of this kind has no place here")]
    Misplaced,
}

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// The caller's number for the call; 0 in a ping.
    pub(crate) id: u64,
    pub(crate) service: Service,
    pub(crate) group: GroupId,
    /// How long the caller waits; 0 in what is no request.
    pub(crate) deadline_ms: u32,
    pub(crate) head_len: u32,
    pub(crate) body_len: u32,
    pub(crate) head_crc: u32,
}

impl Header {
    pub(crate) const PING: Header = Header {
        kind: Kind::Ping,
        id: 0,
        service: Service(0),
        group: GroupId(0),
        deadline_ms: 0,
        head_len: 0,
        body_len: 0,
        head_crc: 0,
    };

    /// The header for a message with `head` and `body_len` bytes of body, which the sender has bounded.
    pub(crate) fn new(kind: Kind, id: u64, service: Service, group: GroupId, head: &[u8], body_len: usize) -> Self {
        let length = |bytes: usize| u32::try_from(bytes).expect("messages are bounded by Options::FRAME_BYTES_LIMIT");
        Self {
            kind,
            id,
            service,
            group,
            deadline_ms: 0,
            head_len: length(head.len()),
            body_len: length(body_len),
            head_crc: crc32c::crc32c(head),
        }
    }

    /// The same, with how long the caller waits, rounded up.
    pub(crate) fn with_deadline(self, deadline: Duration) -> Self {
        let deadline_ms = u32::try_from(deadline.as_micros().div_ceil(1000)).unwrap_or(u32::MAX);
        Self { deadline_ms, ..self }
    }

    /// Bytes that follow the header.
    pub(crate) fn payload_len(&self) -> u64 {
        u64::from(self.head_len) + u64::from(self.body_len)
    }

    /// Header and head as they are written; the body follows.
    pub(crate) fn encode(&self, head: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER_LEN + head.len());
        out.put_u32_le(self.body_len);
        out.put_u32_le(self.head_len);
        out.put_u64_le(self.id);
        out.put_u64_le(self.group.0);
        out.put_u32_le(self.deadline_ms);
        out.put_u32_le(self.head_crc);
        out.put_u8(self.kind as u8);
        out.put_u8(self.service.0);
        out.put_u16_le(0);
        out.put_u32_le(crc32c::crc32c(&out));
        out.put_slice(head);
        out.freeze()
    }

    /// Reads a header; its lengths are then what the other side meant, though not yet bounded.
    pub(crate) fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, FrameError> {
        let mut rest = &bytes[..];
        let body_len = rest.get_u32_le();
        let head_len = rest.get_u32_le();
        let id = rest.get_u64_le();
        let group = GroupId(rest.get_u64_le());
        let deadline_ms = rest.get_u32_le();
        let head_crc = rest.get_u32_le();
        let kind = rest.get_u8();
        let service = Service(rest.get_u8());
        let reserved = rest.get_u16_le();
        if rest.get_u32_le() != crc32c::crc32c(&bytes[..HEADER_LEN - 4]) {
            return Err(FrameError::HeaderChecksum);
        }
        if reserved != 0 {
            return Err(FrameError::Reserved);
        }
        let kind = Kind::from_u8(kind).ok_or(FrameError::Kind(kind))?;
        Ok(Self { kind, id, service, group, deadline_ms, head_len, body_len, head_crc })
    }

    /// Whether `head` is what was sent.
    pub(crate) fn check_head(&self, head: &[u8]) -> Result<(), FrameError> {
        if crc32c::crc32c(head) == self.head_crc { Ok(()) } else { Err(FrameError::HeadChecksum) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn header_of(bytes: &[u8]) -> [u8; HEADER_LEN] {
        bytes[..HEADER_LEN].try_into().unwrap()
    }

    #[test]
    fn layout_on_the_wire_is_as_documented() {
        let header = Header::new(Kind::Request, 7, Service(3), GroupId(9), b"ab", 258)
            .with_deadline(Duration::from_micros(999_001));
        assert_eq!(
            hex(&header.encode(b"ab")),
            "020100000200000007000000000000000900000000000000e80300003629a2e20103000093217ae46162"
        );
        assert_eq!(&hex(&Header::PING.encode(b""))[64..72], "04000000");
    }

    proptest! {
        #[test]
        fn reading_returns_what_was_written(
            kind in 1..=4u8, id: u64, service: u8, group: u64, deadline_ms: u32, head: Vec<u8>, body_len: u32
        ) {
            let kind = Kind::from_u8(kind).unwrap();
            let header = Header::new(kind, id, Service(service), GroupId(group), &head, body_len as usize)
                .with_deadline(Duration::from_millis(deadline_ms.into()));
            let bytes = header.encode(&head);
            prop_assert_eq!(Header::decode(&header_of(&bytes)), Ok(header));
            prop_assert_eq!(header.check_head(&bytes[HEADER_LEN..]), Ok(()));
            prop_assert_eq!(header.deadline_ms, deadline_ms);
        }

        #[test]
        fn any_flipped_bit_is_noticed(head in proptest::collection::vec(any::<u8>(), 0..64), at: prop::sample::Index, bit in 0..8u8) {
            let header = Header::new(Kind::Answer, 1, Service(0), GroupId(2), &head, 5);
            let mut bytes = header.encode(&head).to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let read = Header::decode(&header_of(&bytes)).and_then(|header| header.check_head(&bytes[HEADER_LEN..]));
            prop_assert!(read.is_err());
        }

        #[test]
        fn garbage_never_panics(bytes: [u8; HEADER_LEN]) {
            let _ = Header::decode(&bytes);
        }
    }
}
