//! What the state machine answers to whom proposed an entry, little endian: 1 outcome, 8 first record, 4 count, 8 arrival (ms).
//! Never stored, never sent to another node.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use shard_state::{Applied, Outcome};
use types::{RecordNumber, TimestampMs};

const BYTES: usize = 21;
const OUTCOMES: [Outcome; 7] = [
    Outcome::Accepted,
    Outcome::RejectedClosed,
    Outcome::Closed,
    Outcome::AlreadyClosed,
    Outcome::Trimmed,
    Outcome::StaleTrim,
    Outcome::RejectedTrim,
];

pub(crate) fn encode(applied: &Applied) -> Bytes {
    let outcome = OUTCOMES.iter().position(|outcome| *outcome == applied.outcome).unwrap_or(OUTCOMES.len());
    let mut out = BytesMut::with_capacity(BYTES);
    out.put_u8(outcome as u8);
    out.put_u64_le(applied.first_record.0);
    out.put_u32_le(applied.count);
    out.put_u64_le(applied.arrival.0);
    out.freeze()
}

/// `None` if the bytes are not a reply.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Applied> {
    if bytes.len() != BYTES {
        return None;
    }
    let outcome = *OUTCOMES.get(usize::from(bytes.get_u8()))?;
    let first_record = RecordNumber(bytes.get_u64_le());
    let count = bytes.get_u32_le();
    Some(Applied { first_record, count, arrival: TimestampMs(bytes.get_u64_le()), outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_round_trips_and_anything_else_is_none() {
        for outcome in OUTCOMES {
            let applied =
                Applied { first_record: RecordNumber(1 << 60), count: 7, arrival: TimestampMs(1 << 40), outcome };
            assert_eq!(decode(&encode(&applied)), Some(applied));
        }
        let mut bytes = encode(&Applied {
            first_record: RecordNumber(1),
            count: 0,
            arrival: TimestampMs(0),
            outcome: Outcome::Closed,
        })
        .to_vec();
        bytes[0] = OUTCOMES.len() as u8;
        assert_eq!(decode(&bytes), None);
        assert_eq!(decode(&[]), None);
    }
}
