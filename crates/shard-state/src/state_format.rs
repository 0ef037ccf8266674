//! A shard's state as checkpoints and snapshots hold it, little endian, of fixed size:
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | format version, 1 |
//! | 1 | phase: 0 open, 1 closed |
//! | 4, 8 | shard index, second of its creation |
//! | 8, 8 | closed: time (ms) and log index; open: zero |
//! | 8, 8, 8 | next record, last arrival (ms), applied index |
//! | 32 | trim point: index, term, next record, last arrival (ms) |

use bytes::{Buf, BufMut};
use types::{RecordNumber, ShardId, TimestampMs};

use crate::{FormatError, Phase, ShardIdentity, ShardState, TrimPoint};

const VERSION: u8 = 1;
const OPEN: u8 = 0;
const CLOSED: u8 = 1;

/// The size of an encoded state.
pub const STATE_BYTES: usize = 2 + 4 + 8 + 5 * 8 + TrimPoint::BYTES;

impl ShardState {
    /// The state's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; STATE_BYTES] {
        let mut bytes = [0; STATE_BYTES];
        let mut out = &mut bytes[..];
        let (phase, closed_at, closed_index) = match self.phase() {
            Phase::Open => (OPEN, TimestampMs(0), 0),
            Phase::Closed { at, index } => (CLOSED, at, index),
        };
        out.put_u8(VERSION);
        out.put_u8(phase);
        out.put_u32_le(self.identity().shard.0);
        out.put_u64_le(self.identity().created_sec);
        out.put_u64_le(closed_at.0);
        out.put_u64_le(closed_index);
        out.put_u64_le(self.next_record().0);
        out.put_u64_le(self.last_arrival().0);
        out.put_u64_le(self.applied_index());
        self.trim().put(&mut out);
        bytes
    }

    /// Reads a state.
    ///
    /// # Errors
    /// [`FormatError`] when the bytes are of another size or version, or say what no shard can be.
    pub fn decode(mut bytes: &[u8]) -> Result<ShardState, FormatError> {
        let version = bytes.try_get_u8()?;
        if version != VERSION {
            return Err(FormatError::Version(version));
        }
        let phase = bytes.try_get_u8()?;
        let identity = ShardIdentity { shard: ShardId(bytes.try_get_u32_le()?), created_sec: bytes.try_get_u64_le()? };
        let (closed_at, closed_index) = (TimestampMs(bytes.try_get_u64_le()?), bytes.try_get_u64_le()?);
        let phase = match (phase, closed_at.0, closed_index) {
            (OPEN, 0, 0) => Phase::Open,
            (CLOSED, ..) => Phase::Closed { at: closed_at, index: closed_index },
            _ => return Err(FormatError::Contradiction("phase")),
        };
        let next_record = RecordNumber(bytes.try_get_u64_le()?);
        let last_arrival = TimestampMs(bytes.try_get_u64_le()?);
        let applied_index = bytes.try_get_u64_le()?;
        let trim = TrimPoint::get(&mut bytes)?;
        if !bytes.is_empty() {
            return Err(FormatError::Excess(bytes.len()));
        }
        ShardState::from_parts(identity, phase, next_record, last_arrival, trim, applied_index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;
    use proptest::prelude::*;

    fn closed_state() -> ShardState {
        let mut state = ShardState::new(ShardIdentity { shard: ShardId(7), created_sec: 0x0102_0304 });
        let records = bytes::Bytes::new();
        state.apply(1, &Command::Put { arrival: TimestampMs(0x20), count: 3, requests: records.clone(), records });
        let point = TrimPoint { index: 1, term: 5, next_record: RecordNumber(4), last_arrival: TimestampMs(0x20) };
        state.apply(2, &Command::Trim(point));
        state.apply(3, &Command::Close { at: TimestampMs(0x30) });
        state
    }

    #[test]
    fn layout_on_disk_does_not_change_by_accident() {
        let hex: String = closed_state().encode().iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = "01_01_07000000_0403020100000000_3000000000000000_0300000000000000\
            _0400000000000000_3000000000000000_0300000000000000\
            _0100000000000000_0500000000000000_0400000000000000_2000000000000000";
        assert_eq!(hex, expected.replace('_', ""));
    }

    #[test]
    fn a_state_that_contradicts_itself_is_refused() {
        let good = closed_state();
        assert_eq!(ShardState::decode(&good.encode()), Ok(good.clone()));
        // phase, next record below the trim point's, applied index below the closing one
        for (at, byte) in [(1, 0), (1, 2), (30, 1), (46, 2), (54, 4)] {
            let mut bytes = good.encode();
            bytes[at] = byte;
            let decoded = ShardState::decode(&bytes);
            assert!(matches!(decoded, Err(FormatError::Contradiction(_))), "byte {at}: {decoded:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_decode_to_what_encodes_the_same_or_fail(
            mut bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..100),
            plausible: bool,
        ) {
            if plausible {
                bytes.resize(STATE_BYTES, 0);
                bytes[0] = VERSION;
            }
            if let Ok(state) = ShardState::decode(&bytes) {
                prop_assert_eq!(&state.encode()[..], &bytes[..]);
            }
        }

        #[test]
        fn another_size_is_refused(len in 0usize..100) {
            prop_assume!(len != STATE_BYTES);
            let mut bytes = closed_state().encode().to_vec();
            bytes.resize(len, 0);
            prop_assert!(ShardState::decode(&bytes).is_err());
        }
    }
}
