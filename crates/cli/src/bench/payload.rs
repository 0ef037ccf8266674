//! What a bench record holds: 12 bytes that say which record of which run it is, then bytes that are the same in every record of
//! the run. So every byte read back can be checked, and only 16 characters of base64 differ from one record to the next.

use base64_simd::{AsOut, STANDARD};

/// Bytes of the identity.
pub(crate) const IDENTITY_BYTES: usize = 12;
/// The smallest record.
pub(crate) const RECORD_BYTES_MIN: usize = IDENTITY_BYTES;
/// Base64 characters of the identity: whole groups of three bytes, so that it can be patched.
pub(crate) const IDENTITY_CHARS: usize = IDENTITY_BYTES / 3 * 4;
const _: () = assert!(IDENTITY_BYTES.is_multiple_of(3), "else its base64 would mix with what follows");

/// The records of one run.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    /// Tells this run's records from others in the stream.
    run: u32,
    /// What follows the identity.
    filler: Vec<u8>,
}

/// A record's place in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordId {
    pub(crate) worker: u16,
    /// Below 2^48.
    pub(crate) number: u64,
}

/// What a record that was read turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This run's, byte for byte.
    Ours(RecordId),
    /// This run's by its mark, and changed.
    Corrupt,
    /// Another run's.
    Foreign,
}

impl Payload {
    /// Records of `record_bytes`, at least [`RECORD_BYTES_MIN`]; `seed` decides their content and the run's mark.
    pub(crate) fn new(seed: u64, record_bytes: usize) -> Self {
        let mut state = seed;
        let mut filler = Vec::with_capacity(record_bytes + 8);
        while filler.len() < record_bytes.saturating_sub(IDENTITY_BYTES) {
            filler.extend_from_slice(&split_mix(&mut state).to_le_bytes());
        }
        filler.truncate(record_bytes.saturating_sub(IDENTITY_BYTES));
        Self { run: split_mix(&mut state) as u32, filler }
    }

    /// Bytes of a record.
    pub(crate) fn record_bytes(&self) -> usize {
        IDENTITY_BYTES + self.filler.len()
    }

    /// The base64 of what follows the identity.
    pub(crate) fn filler_base64(&self) -> String {
        STANDARD.encode_to_string(&self.filler)
    }

    /// Writes the base64 of an identity over `target`, which has [`IDENTITY_CHARS`] bytes.
    pub(crate) fn patch(&self, id: RecordId, target: &mut [u8]) {
        let _ = STANDARD.encode(&self.identity(id), target.as_out());
    }

    /// The base64 of a whole record.
    pub(crate) fn base64(&self, id: RecordId) -> String {
        STANDARD.encode_to_string([&self.identity(id)[..], &self.filler].concat())
    }

    fn identity(&self, id: RecordId) -> [u8; IDENTITY_BYTES] {
        let mut bytes = [0; IDENTITY_BYTES];
        bytes[..4].copy_from_slice(&self.run.to_be_bytes());
        bytes[4..].copy_from_slice(&(u64::from(id.worker) << 48 | id.number).to_be_bytes());
        bytes
    }

    /// Says what a record is.
    pub(crate) fn judge(&self, data: &[u8]) -> Verdict {
        let Some((identity, filler)) = data.split_first_chunk::<IDENTITY_BYTES>() else { return Verdict::Foreign };
        let [r0, r1, r2, r3, number @ ..] = *identity;
        if u32::from_be_bytes([r0, r1, r2, r3]) != self.run {
            return Verdict::Foreign;
        }
        if filler != self.filler {
            return Verdict::Corrupt;
        }
        let number = u64::from_be_bytes(number);
        Verdict::Ours(RecordId { worker: (number >> 48) as u16, number: number & ((1 << 48) - 1) })
    }
}

/// SplitMix64: a stream of well-mixed numbers from a counter, for keys and content where nothing depends on secrecy.
pub(crate) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn data(payload: &Payload, id: RecordId) -> Vec<u8> {
        let mut text = vec![0; IDENTITY_CHARS];
        payload.patch(id, &mut text);
        text.extend_from_slice(payload.filler_base64().as_bytes());
        STANDARD.decode_to_vec(&text).unwrap()
    }

    proptest! {
        #[test]
        fn a_record_is_recognised_and_each_flipped_bit_in_it_noticed(
            seed in any::<u64>(),
            length in RECORD_BYTES_MIN..200,
            worker in any::<u16>(),
            number in 0u64..1 << 48,
            bit in any::<prop::sample::Index>(),
        ) {
            let payload = Payload::new(seed, length);
            let id = RecordId { worker, number };
            let mut data = data(&payload, id);
            prop_assert_eq!(data.len(), length);
            prop_assert_eq!(payload.record_bytes(), length);
            prop_assert_eq!(payload.judge(&data), Verdict::Ours(id));
            prop_assert_eq!(STANDARD.encode_to_string(&data), payload.base64(id));
            let bit = bit.index(length * 8);
            data[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(payload.judge(&data), Verdict::Ours(id));
        }
    }

    #[test]
    fn records_of_another_run_and_short_ones_are_foreign() {
        let payload = Payload::new(1, 100);
        let other = Payload::new(2, 100);
        let id = RecordId { worker: 1, number: 1 };
        assert_eq!(payload.judge(&data(&other, id)), Verdict::Foreign);
        assert_eq!(payload.judge(&[1; 11]), Verdict::Foreign);
    }
}
