//! The payload of one Raft entry of a shard, little endian:
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | format version, 2 |
//! | 1 | kind: 1 put, 2 close, 3 trim |
//! | | put: 8 arrival (ms), 4 count, 4 requests; for each request 16 id and 4 count; then the records |
//! | | close: 8 time (ms) |
//! | | trim: 8 index, 8 term, 8 next record, 8 last arrival (ms) |

use bytes::{Buf, BufMut, Bytes, BytesMut};
use types::TimestampMs;

use crate::{Batch, FormatError, RecordIter, RequestId, TrimPoint};

const VERSION: u8 = 2;
const KIND_PUT: u8 = 1;
const KIND_CLOSE: u8 = 2;
const KIND_TRIM: u8 = 3;
const HEADER_BYTES: usize = 2;

/// What an entry of puts takes besides the bytes of its batches and [`REQUEST_BYTES`] for each.
pub const PUT_OVERHEAD_BYTES: usize = HEADER_BYTES + 16;
/// What a batch takes in an entry besides its bytes.
pub const REQUEST_BYTES: usize = 20;

/// What one entry asks of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Append records.
    Put {
        /// The leader's clock when it made the entry.
        arrival: TimestampMs,
        /// How many records.
        count: u32,
        /// Whose records they are, in their order, as encoded: a slice of the entry, see [`Command::requests`].
        requests: Bytes,
        /// The records, a slice of the entry.
        records: Bytes,
    },
    /// Take no more records.
    Close {
        /// The leader's clock when it made the entry.
        at: TimestampMs,
    },
    /// Let go of the records before a position.
    Trim(TrimPoint),
}

/// Encodes batches of several puts as one entry, with one allocation. Their order is that of the record numbers.
///
/// # Panics
/// When the batches hold more than 2^32-1 records: the bytes in flight of a shard are bounded far below.
#[must_use]
pub fn encode_put(arrival: TimestampMs, batches: &[Batch]) -> Bytes {
    let records_bytes: usize = batches.iter().map(|batch| batch.bytes.len()).sum();
    let count: u64 = batches.iter().map(|batch| u64::from(batch.count)).sum();
    assert!(count <= u64::from(u32::MAX), "{count} records in one entry");
    let mut out = put_header(arrival, count as u32, batches.len() as u32, records_bytes);
    for batch in batches {
        out.put_u128_le(batch.id.0);
        out.put_u32_le(batch.count);
    }
    for batch in batches {
        out.put_slice(&batch.bytes);
    }
    out.freeze()
}

fn put_header(arrival: TimestampMs, count: u32, requests: u32, records_bytes: usize) -> BytesMut {
    let body_bytes = PUT_OVERHEAD_BYTES - HEADER_BYTES + requests as usize * REQUEST_BYTES + records_bytes;
    let mut out = header(KIND_PUT, body_bytes);
    out.put_u64_le(arrival.0);
    out.put_u32_le(count);
    out.put_u32_le(requests);
    out
}

fn header(kind: u8, body_bytes: usize) -> BytesMut {
    let mut out = BytesMut::with_capacity(HEADER_BYTES + body_bytes);
    out.put_u8(VERSION);
    out.put_u8(kind);
    out
}

impl Command {
    /// The bytes of the entry. Puts are better made by [`encode_put`], which takes the batches as they are.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Command::Put { arrival, count, requests, records } => {
                let mut out = put_header(*arrival, *count, (requests.len() / REQUEST_BYTES) as u32, records.len());
                out.put_slice(requests);
                out.put_slice(records);
                out.freeze()
            }
            Command::Close { at } => {
                let mut out = header(KIND_CLOSE, 8);
                out.put_u64_le(at.0);
                out.freeze()
            }
            Command::Trim(point) => {
                let mut out = header(KIND_TRIM, TrimPoint::BYTES);
                point.put(&mut out);
                out.freeze()
            }
        }
    }

    /// Reads an entry; the records are a slice of it and are not looked at: [`Command::records`] checks each when read.
    ///
    /// # Errors
    /// [`FormatError`] when the bytes are malformed or of a newer version.
    pub fn decode(entry: &Bytes) -> Result<Command, FormatError> {
        let mut bytes = &entry[..];
        let version = bytes.try_get_u8()?;
        if version != VERSION {
            return Err(FormatError::Version(version));
        }
        let kind = bytes.try_get_u8()?;
        match kind {
            KIND_PUT => {
                let arrival = TimestampMs(bytes.try_get_u64_le()?);
                let count = bytes.try_get_u32_le()?;
                let requests_bytes = (bytes.try_get_u32_le()? as usize).saturating_mul(REQUEST_BYTES);
                if bytes.len() < requests_bytes {
                    return Err(FormatError::Truncated);
                }
                let mut requests = entry.slice(PUT_OVERHEAD_BYTES..);
                let records = requests.split_off(requests_bytes);
                let of_requests: u64 = requests_in(requests.clone()).map(|(_, count)| u64::from(count)).sum();
                if of_requests != u64::from(count) {
                    return Err(FormatError::Contradiction("records that no request has put"));
                }
                Ok(Command::Put { arrival, count, requests, records })
            }
            KIND_CLOSE => {
                let at = TimestampMs(bytes.try_get_u64_le()?);
                ended(bytes, Command::Close { at })
            }
            KIND_TRIM => {
                let point = TrimPoint::get(&mut bytes)?;
                ended(bytes, Command::Trim(point))
            }
            other => Err(FormatError::Kind(other)),
        }
    }

    /// The requests of a put, each with how many of its records are here: their records follow each other in this order. None for
    /// other commands.
    pub fn requests(&self) -> impl Iterator<Item = (RequestId, u32)> + use<> {
        requests_in(match self {
            Command::Put { requests, .. } => requests.clone(),
            Command::Close { .. } | Command::Trim(_) => Bytes::new(),
        })
    }

    /// The records of a put; none for other commands.
    #[must_use]
    pub fn records(&self) -> RecordIter {
        match self {
            Command::Put { count, records, .. } => RecordIter::new(records.clone(), *count),
            Command::Close { .. } | Command::Trim(_) => RecordIter::new(Bytes::new(), 0),
        }
    }
}

/// Stops at what is no whole request, of which [`Command::decode`] lets none pass.
fn requests_in(mut bytes: Bytes) -> impl Iterator<Item = (RequestId, u32)> {
    std::iter::from_fn(move || Some((RequestId(bytes.try_get_u128_le().ok()?), bytes.try_get_u32_le().ok()?)))
}

fn ended(rest: &[u8], command: Command) -> Result<Command, FormatError> {
    if rest.is_empty() { Ok(command) } else { Err(FormatError::Excess(rest.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchWriter;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use types::RecordNumber;

    fn batch(keys: &[&str]) -> Batch {
        let mut writer = BatchWriter::new();
        for key in keys {
            writer
                .push(key, None, 1, |out| {
                    out.fill(0xee);
                    Ok::<(), ()>(())
                })
                .unwrap();
        }
        writer.finish()
    }

    fn put(arrival: u64, batches: &[(u128, &[&str])]) -> Bytes {
        let batches: Vec<_> = batches.iter().map(|(id, keys)| batch(keys).of_request(RequestId(*id))).collect();
        encode_put(TimestampMs(arrival), &batches)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn trim_points() -> impl Strategy<Value = TrimPoint> {
        any::<[u64; 4]>().prop_map(|[index, term, next_record, last_arrival]| TrimPoint {
            index,
            term,
            next_record: RecordNumber(next_record),
            last_arrival: TimestampMs(last_arrival),
        })
    }

    fn commands() -> impl Strategy<Value = Command> {
        prop_oneof![
            (any::<u64>(), vec((any::<u128>(), 0u32..1 << 20), 0..4), vec(any::<u8>(), 0..60)).prop_map(
                |(arrival, requests, records)| {
                    let count = requests.iter().map(|(_, count)| count).sum();
                    let encoded = requests
                        .iter()
                        .flat_map(|(id, count)| [&id.to_le_bytes()[..], &count.to_le_bytes()[..]].concat());
                    let requests = encoded.collect();
                    Command::Put { arrival: TimestampMs(arrival), count, requests, records: records.into() }
                },
            ),
            any::<u64>().prop_map(|at| Command::Close { at: TimestampMs(at) }),
            trim_points().prop_map(Command::Trim),
        ]
    }

    #[test]
    fn layout_on_disk_does_not_change_by_accident() {
        let put = put(0x0102, &[(0x0304, &["a"]), (5, &["b"])]);
        let requests =
            "0403_0000000000000000000000000000_01000000_05_000000000000000000000000000000_01000000".replace('_', "");
        let records = "01000000010000_61_ee_01000000010000_62_ee".replace('_', "");
        assert_eq!(hex(&put), format!("020102010000000000000200000002000000{requests}{records}"));
        assert_eq!(hex(&Command::Close { at: TimestampMs(3) }.encode()), "02020300000000000000");
        let point = TrimPoint { index: 1, term: 2, next_record: RecordNumber(3), last_arrival: TimestampMs(4) };
        let fields = "01000000000000000200000000000000_03000000000000000400000000000000".replace('_', "");
        assert_eq!(hex(&Command::Trim(point).encode()), format!("0203{fields}"));
    }

    #[test]
    fn batches_of_several_puts_keep_their_order_and_their_requests() {
        let entry = put(1, &[(7, &["a", "b"]), (8, &[]), (9, &["c"])]);
        assert_eq!(entry.len(), PUT_OVERHEAD_BYTES + 3 * REQUEST_BYTES + 3 * 9);
        let command = Command::decode(&entry).unwrap();
        let keys: Vec<_> = command.records().map(|record| record.unwrap().partition_key).collect();
        assert_eq!(keys, ["a", "b", "c"]);
        let requests: Vec<_> = command.requests().map(|(id, count)| (id.0, count)).collect();
        assert_eq!(requests, [(7, 2), (8, 0), (9, 1)]);
    }

    #[test]
    fn records_are_a_slice_of_the_entry() {
        let entry = put(1, &[(7, &["a"])]);
        let Command::Put { records, .. } = Command::decode(&entry).unwrap() else { panic!("not a put") };
        assert_eq!(records.as_ptr(), entry[PUT_OVERHEAD_BYTES + REQUEST_BYTES..].as_ptr());
    }

    #[test]
    fn unknown_versions_kinds_and_wrong_counts_are_refused() {
        let changed = |good: &Bytes, at: usize, byte: u8| {
            let mut bytes = good.to_vec();
            bytes[at] = byte;
            Command::decode(&bytes.into())
        };
        let close = Command::Close { at: TimestampMs(3) }.encode();
        assert_eq!(changed(&close, 0, 1), Err(FormatError::Version(1)));
        assert_eq!(changed(&close, 1, 9), Err(FormatError::Kind(9)));
        let longer = Bytes::from([&close[..], &[0]].concat());
        assert_eq!(Command::decode(&longer), Err(FormatError::Excess(1)));
        let put = put(1, &[(7, &["a"])]);
        assert!(matches!(changed(&put, 10, 2), Err(FormatError::Contradiction(_))));
        assert_eq!(changed(&put, 14, 2), Err(FormatError::Truncated));
        assert_eq!(changed(&put, 17, 255), Err(FormatError::Truncated));
    }

    proptest! {
        #[test]
        fn commands_round_trip(command in commands()) {
            prop_assert_eq!(Command::decode(&command.encode()), Ok(command));
        }

        #[test]
        fn a_cut_header_is_an_error(command in commands(), cut in 0usize..10) {
            prop_assert_eq!(Command::decode(&command.encode().slice(..cut)), Err(FormatError::Truncated));
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in vec(any::<u8>(), 0..120), kind in 0u8..5, plausible: bool) {
            if plausible && bytes.len() >= PUT_OVERHEAD_BYTES {
                bytes[..PUT_OVERHEAD_BYTES].fill(0);
                bytes[0] = VERSION;
                bytes[1] = kind;
            }
            if let Ok(command) = Command::decode(&bytes.into()) {
                let _ = command.records().count();
            }
        }
    }
}
