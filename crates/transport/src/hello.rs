//! What two nodes say first: the caller a hello, the called node a welcome.
//!
//! Both begin with the same prefix, little endian, which no version may change: `magic [u8; 8], major u16, minor u16, body_len u32,
//! crc32c u32` over the prefix before it and the body. So nodes of different versions can still tell each other. Then the body, of
//! version 1:
//!
//! - hello: `from u64, meant u64, is_meant u8, lane u8, connection u8, cluster_len u8, cluster`. `is_meant` is 0 where the caller
//!   knows only an address. `connection` numbers the connections of one lane.
//! - welcome: `node u64, accepted u8, cluster_len u8, text_len u16, cluster, text`. The text says why it is not accepted.

use std::fmt;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use types::NodeId;

use crate::{HandshakeError, Lane};

/// The major version of the protocol between nodes that this program speaks. Nodes of another one are refused.
pub const WIRE_MAJOR: u16 = 3;
/// The minor version. Two nodes use the lower of theirs.
pub const WIRE_MINOR: u16 = 0;

/// Bytes of the prefix.
pub(crate) const PREFIX_LEN: usize = 20;
/// A body may be this long: names and a text of one line.
pub(crate) const BODY_BYTES_MAX: usize = 1024;

const MAGIC: [u8; 8] = *b"THALWEG\0";
const CRC_AT: usize = PREFIX_LEN - 4;
/// Longer texts are cut.
const TEXT_BYTES_MAX: usize = 512;

const OURS: Version = Version { major: WIRE_MAJOR, minor: WIRE_MINOR };

/// A version of the protocol between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Differs between nodes that don't understand each other.
    pub major: u16,
    /// Grows with additions.
    pub minor: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The caller's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) from: NodeId,
    pub(crate) meant: Option<NodeId>,
    pub(crate) lane: Lane,
    pub(crate) connection: u8,
    pub(crate) cluster: Arc<str>,
}

/// The called node's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Welcome {
    pub(crate) node: NodeId,
    pub(crate) cluster: Arc<str>,
    /// Why not, if not.
    pub(crate) refusal: Option<Arc<str>>,
}

/// A prefix whose magic fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) version: Version,
    pub(crate) body_len: usize,
}

impl Prefix {
    /// Reads what both versions agree on.
    pub(crate) fn decode(bytes: &[u8; PREFIX_LEN]) -> Result<Self, HandshakeError> {
        let mut rest = bytes.strip_prefix(&MAGIC).ok_or(HandshakeError::NotThalweg)?;
        let version = Version { major: rest.get_u16_le(), minor: rest.get_u16_le() };
        let body_len = rest.get_u32_le() as usize;
        if body_len > BODY_BYTES_MAX {
            return Err(HandshakeError::Malformed("it is too long"));
        }
        Ok(Self { version, body_len })
    }

    /// The minor version that both know.
    ///
    /// # Errors
    /// The other side speaks another major version.
    pub(crate) fn negotiate(&self) -> Result<u16, HandshakeError> {
        negotiate(OURS, self.version)
    }
}

fn negotiate(ours: Version, theirs: Version) -> Result<u16, HandshakeError> {
    if ours.major != theirs.major {
        return Err(HandshakeError::Version { ours, theirs });
    }
    Ok(ours.minor.min(theirs.minor))
}

/// Puts the prefix before `body`.
fn encode(version: Version, body: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(PREFIX_LEN + body.len());
    out.put_slice(&MAGIC);
    out.put_u16_le(version.major);
    out.put_u16_le(version.minor);
    out.put_u32_le(u32::try_from(body.len()).expect("names and texts are bounded"));
    let crc = crc32c::crc32c_append(crc32c::crc32c(&out), body);
    out.put_u32_le(crc);
    out.put_slice(body);
    out.freeze()
}

/// Whether prefix and body are what was sent.
fn check(prefix: &[u8; PREFIX_LEN], body: &[u8]) -> Result<(), HandshakeError> {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&prefix[..CRC_AT]), body);
    if prefix[CRC_AT..] == crc.to_le_bytes() { Ok(()) } else { Err(HandshakeError::Malformed("wrong checksum")) }
}

fn text(bytes: &[u8]) -> Result<Arc<str>, HandshakeError> {
    std::str::from_utf8(bytes).map(Arc::from).map_err(|_| HandshakeError::Malformed("text that is none"))
}

const CUT_SHORT: HandshakeError = HandshakeError::Malformed("it is cut short");

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], HandshakeError> {
    rest.split_off(..length).ok_or(CUT_SHORT)
}

impl Hello {
    pub(crate) fn encode(&self) -> Bytes {
        self.encode_as(OURS)
    }

    pub(crate) fn encode_as(&self, version: Version) -> Bytes {
        let mut body = BytesMut::new();
        body.put_u64_le(self.from.0);
        body.put_u64_le(self.meant.unwrap_or_default().0);
        body.put_u8(self.meant.is_some().into());
        body.put_u8(self.lane as u8);
        body.put_u8(self.connection);
        body.put_u8(u8::try_from(self.cluster.len()).expect("an identity's cluster name has at most 63 bytes"));
        body.put_slice(self.cluster.as_bytes());
        encode(version, &body)
    }

    /// Reads the body behind a prefix of our major version. A later minor version may have more at its end.
    pub(crate) fn decode(prefix: &[u8; PREFIX_LEN], body: &[u8]) -> Result<Self, HandshakeError> {
        check(prefix, body)?;
        let mut rest = body;
        let mut fixed = take(&mut rest, 20)?;
        let from = NodeId(fixed.get_u64_le());
        let meant = NodeId(fixed.get_u64_le());
        let meant = (fixed.get_u8() != 0).then_some(meant);
        let lane = Lane::from_u8(fixed.get_u8()).ok_or(HandshakeError::Malformed("unknown lane"))?;
        let connection = fixed.get_u8();
        let cluster = text(take(&mut rest, fixed.get_u8().into())?)?;
        Ok(Self { from, meant, lane, connection, cluster })
    }
}

impl Welcome {
    pub(crate) fn encode(&self) -> Bytes {
        self.encode_as(OURS)
    }

    pub(crate) fn encode_as(&self, version: Version) -> Bytes {
        let text = self.refusal.as_deref().unwrap_or_default();
        let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
        let mut body = BytesMut::new();
        body.put_u64_le(self.node.0);
        body.put_u8(self.refusal.is_none().into());
        body.put_u8(u8::try_from(self.cluster.len()).expect("an identity's cluster name has at most 63 bytes"));
        body.put_u16_le(u16::try_from(text.len()).expect("cut above"));
        body.put_slice(self.cluster.as_bytes());
        body.put_slice(text.as_bytes());
        encode(version, &body)
    }

    /// As [`Hello::decode`].
    pub(crate) fn decode(prefix: &[u8; PREFIX_LEN], body: &[u8]) -> Result<Self, HandshakeError> {
        check(prefix, body)?;
        let mut rest = body;
        let mut fixed = take(&mut rest, 12)?;
        let node = NodeId(fixed.get_u64_le());
        let accepted = fixed.get_u8() != 0;
        let cluster_len = fixed.get_u8();
        let text_len = fixed.get_u16_le();
        let cluster = text(take(&mut rest, cluster_len.into())?)?;
        let reason = text(take(&mut rest, text_len.into())?)?;
        Ok(Self { node, cluster, refusal: (!accepted).then_some(reason) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn split(bytes: &[u8]) -> ([u8; PREFIX_LEN], &[u8]) {
        (bytes[..PREFIX_LEN].try_into().unwrap(), &bytes[PREFIX_LEN..])
    }

    #[test]
    fn layout_on_the_wire_is_as_documented() {
        let hello =
            Hello { from: NodeId(1), meant: Some(NodeId(2)), lane: Lane::Data, connection: 3, cluster: "eu".into() };
        assert_eq!(
            hex(&hello.encode()),
            "5448414c574547000300000016000000ae2b6f2101000000000000000200000000000000010203026575"
        );
        let welcome = Welcome { node: NodeId(2), cluster: "eu".into(), refusal: Some("no".into()) };
        assert_eq!(hex(&welcome.encode()), "5448414c574547000300000010000000bb57cafb02000000000000000002020065756e6f");
    }

    #[test]
    fn another_major_version_is_named_and_a_minor_one_negotiated() {
        let hello = Hello { from: NodeId(1), meant: None, lane: Lane::Control, connection: 0, cluster: "eu".into() };
        let theirs = |major, minor| {
            let bytes = hello.encode_as(Version { major, minor });
            Prefix::decode(&split(&bytes).0).unwrap()
        };
        assert_eq!(theirs(WIRE_MAJOR, WIRE_MINOR + 7).negotiate(), Ok(WIRE_MINOR));
        let negotiate_minor =
            |ours, theirs| negotiate(Version { minor: ours, ..OURS }, Version { minor: theirs, ..OURS });
        assert_eq!((negotiate_minor(3, 5), negotiate_minor(5, 3)), (Ok(3), Ok(3)));
        let refused = theirs(9, 3).negotiate().unwrap_err().to_string();
        assert!(refused.contains("version 9.3") && refused.contains(&OURS.to_string()), "{refused}");
    }

    proptest! {
        #[test]
        fn reading_returns_what_was_written(
            from: u64, meant: Option<u64>, lane in 1..=2u8, connection: u8, cluster in "[a-z0-9]{1,63}", text in ".{0,100}", accepted: bool
        ) {
            let lane = Lane::from_u8(lane).unwrap();
            let cluster: Arc<str> = cluster.into();
            let hello = Hello { from: NodeId(from), meant: meant.map(NodeId), lane, connection, cluster: cluster.clone() };
            let bytes = hello.encode();
            let (prefix, body) = split(&bytes);
            prop_assert_eq!(Prefix::decode(&prefix).unwrap().body_len, body.len());
            prop_assert_eq!(Hello::decode(&prefix, body), Ok(hello));

            let welcome = Welcome { node: NodeId(from), cluster, refusal: (!accepted).then(|| text.into()) };
            let bytes = welcome.encode();
            let (prefix, body) = split(&bytes);
            prop_assert_eq!(Welcome::decode(&prefix, body), Ok(welcome));
        }

        #[test]
        fn any_flipped_bit_is_noticed(at: prop::sample::Index, bit in 0..8u8) {
            let hello = Hello { from: NodeId(1), meant: None, lane: Lane::Data, connection: 0, cluster: "eu".into() };
            let mut bytes = hello.encode().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let (prefix, body) = split(&bytes);
            let read = Prefix::decode(&prefix).and_then(|_| Hello::decode(&prefix, body));
            prop_assert!(read.is_err());
        }

        #[test]
        fn garbage_never_panics(prefix: [u8; PREFIX_LEN], body: Vec<u8>) {
            let _ = Prefix::decode(&prefix);
            for body in [&body[..], &encode(OURS, &body)[PREFIX_LEN..]] {
                let _ = Hello::decode(&prefix, body);
                let _ = Welcome::decode(&prefix, body);
            }
        }
    }
}
