//! What a record carries: a number unique among all puts of a run, and filler that the number decides, so that a reader sees
//! whether it got what was put, byte for byte.

use oracle::PayloadId;

/// The bytes of the number.
const ID_BYTES: usize = 8;

/// The bytes of payload `id`, at least [`ID_BYTES`] long.
pub(crate) fn encode(id: PayloadId, bytes: usize) -> Vec<u8> {
    let mut payload = Vec::with_capacity(bytes.max(ID_BYTES));
    payload.extend_from_slice(&id.0.to_le_bytes());
    payload.extend((ID_BYTES..bytes).map(|at| filler(id, at)));
    payload
}

/// The payload that `bytes` are, or one that nobody ever put if they aren't any.
pub(crate) fn decode(bytes: &[u8]) -> PayloadId {
    let Some((id, rest)) = bytes.split_first_chunk::<ID_BYTES>() else { return PayloadId(u64::MAX) };
    let id = PayloadId(u64::from_le_bytes(*id));
    let intact = rest.iter().enumerate().all(|(at, byte)| *byte == filler(id, ID_BYTES + at));
    if intact { id } else { PayloadId(u64::MAX) }
}

fn filler(id: PayloadId, at: usize) -> u8 {
    let mixed = (id.0 ^ (at as u64) << 17).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_recognised_and_any_changed_byte_is_seen() {
        for (id, length) in [(1, 0), (2, 8), (3, 9), (77_777, 1_000)] {
            let bytes = encode(PayloadId(id), length);
            assert_eq!(decode(&bytes), PayloadId(id));
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                assert_ne!(decode(&changed), PayloadId(id), "byte {at} of {length}");
            }
        }
        assert_eq!(decode(b"short"), PayloadId(u64::MAX));
    }
}
