//! Records one after the other, as one put gathers them for one shard.

use bytes::{Bytes, BytesMut};
use types::HashKey;

use crate::record::append_head;
use crate::{FormatError, RecordIter};

/// Tells the records that one request puts into one shard from all others: by it a request that is tried again, since nobody knows
/// whether it was carried out, is recognised in the log. Drawn at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(pub u128);

/// The encoded records of one put for one shard: what a node forwards to the shard's leader, and the leader puts into
/// an entry unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The request that puts them.
    pub id: RequestId,
    /// `count` records, one after the other.
    pub bytes: Bytes,
    /// How many records.
    pub count: u32,
}

impl Batch {
    /// The same records, as those of a request.
    #[must_use]
    pub fn of_request(self, id: RequestId) -> Batch {
        Batch { id, ..self }
    }

    /// The records, in order.
    #[must_use]
    pub fn records(&self) -> RecordIter {
        RecordIter::new(self.bytes.clone(), self.count)
    }

    /// Checks that the bytes are exactly `count` records, without making slices: for batches from another node, before
    /// they get into the log.
    ///
    /// # Errors
    /// [`FormatError`] when they are not.
    pub fn check(&self) -> Result<(), FormatError> {
        self.records().skip_records(self.count)
    }
}

/// Collects records into one buffer.
#[derive(Debug, Default)]
pub struct BatchWriter {
    bytes: BytesMut,
    count: u32,
}

impl BatchWriter {
    /// A writer that grows as needed.
    #[must_use]
    pub fn new() -> BatchWriter {
        BatchWriter::default()
    }

    /// A writer with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> BatchWriter {
        BatchWriter { bytes: BytesMut::with_capacity(bytes), count: 0 }
    }

    /// Adds a record whose `data_len` bytes `fill` writes: they are zero before, and all belong to the record.
    /// So base64 is decoded straight into the buffer.
    ///
    /// # Errors
    /// That of `fill`; the batch is then as it was before.
    ///
    /// # Panics
    /// When the key or the data exceeds the limits of the service (1,024 bytes and 10 MiB).
    pub fn push<E>(
        &mut self,
        partition_key: &str,
        explicit_hash_key: Option<HashKey>,
        data_len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = self.bytes.len();
        append_head(&mut self.bytes, partition_key, explicit_hash_key, data_len);
        let data_start = self.bytes.len();
        self.bytes.resize(data_start + data_len, 0);
        let filled = fill(&mut self.bytes[data_start..]);
        match filled {
            Ok(()) => self.count += 1,
            Err(_) => self.bytes.truncate(before),
        }
        filled
    }

    /// How many records have been added.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many bytes the records take, encoded.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The finished batch, without a copy, of a request that is never tried again: see [`Batch::of_request`].
    #[must_use]
    pub fn finish(self) -> Batch {
        Batch { id: RequestId(0), bytes: self.bytes.freeze(), count: self.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use proptest::collection::vec;
    use proptest::prelude::*;

    type Plain = (String, Option<u128>, Vec<u8>);

    fn plain_records() -> impl Strategy<Value = Vec<Plain>> {
        vec(("\\PC{1,12}", any::<Option<u128>>(), vec(any::<u8>(), 0..40)), 0..12)
    }

    fn write(records: &[Plain]) -> Batch {
        let mut writer = BatchWriter::new();
        for (key, explicit, data) in records {
            let fill = |out: &mut [u8]| {
                out.copy_from_slice(data);
                Ok::<(), ()>(())
            };
            writer.push(key, explicit.map(HashKey), data.len(), fill).unwrap();
        }
        writer.finish()
    }

    fn read(batch: &Batch) -> Result<Vec<Plain>, FormatError> {
        let plain = |record: Record| {
            let key = record.partition_key_str()?.to_owned();
            Ok((key, record.explicit_hash_key.map(|key| key.0), record.data.to_vec()))
        };
        batch.records().map(|record| record.and_then(plain)).collect()
    }

    #[test]
    fn layout_on_disk_does_not_change_by_accident() {
        let batch = write(&[("N123".into(), None, b"ab".to_vec()), ("k".into(), Some(0x0102), vec![])]);
        let first = "02000000_0400_00_4e313233_6162".replace('_', "");
        let second = "00000000_0100_01_6b_02010000000000000000000000000000".replace('_', "");
        assert_eq!(format!("{:02x}", HexOf(&batch.bytes)), first + &second);
    }

    struct HexOf<'a>(&'a [u8]);

    impl std::fmt::LowerHex for HexOf<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        }
    }

    #[test]
    fn data_that_fails_to_decode_leaves_the_batch_as_it_was() {
        let mut writer = BatchWriter::with_capacity(64);
        let fill = |out: &mut [u8]| {
            out.fill(7);
            Ok::<(), &str>(())
        };
        writer.push("a", None, 3, fill).unwrap();
        let before = writer.bytes();
        assert_eq!(writer.push("b", Some(HashKey(1)), 9, |_| Err("bad base64")), Err("bad base64"));
        assert_eq!((writer.bytes(), writer.count()), (before, 1));
        writer.push("c", None, 1, fill).unwrap();
        let keys: Vec<_> = writer.finish().records().map(|record| record.unwrap().partition_key).collect();
        assert_eq!(keys, ["a", "c"]);
    }

    #[test]
    fn bytes_left_after_the_last_record_are_an_error() {
        let mut batch = write(&[("a".into(), None, vec![1])]);
        batch.bytes = Bytes::from([&batch.bytes[..], &[0]].concat());
        assert_eq!(read(&batch), Err(FormatError::Excess(1)));
        assert_eq!(batch.check(), Err(FormatError::Excess(1)));
        batch.count = 0;
        assert_eq!(batch.check(), Err(FormatError::Excess(10)));
    }

    #[test]
    fn slices_share_the_memory_of_the_batch() {
        let batch = write(&[("a".into(), None, vec![1, 2, 3])]);
        let record = batch.records().next().unwrap().unwrap();
        assert_eq!(record.data.as_ptr(), batch.bytes[8..].as_ptr());
    }

    proptest! {
        #[test]
        fn records_round_trip(records in plain_records()) {
            let batch = write(&records);
            prop_assert_eq!(batch.count as usize, records.len());
            prop_assert_eq!(batch.check(), Ok(()));
            prop_assert_eq!(read(&batch), Ok(records));
        }

        #[test]
        fn skipping_is_reading_and_dropping(records in plain_records(), skip in 0u32..15) {
            let batch = write(&records);
            let mut rest = batch.records();
            rest.skip_records(skip).unwrap();
            let expected: Vec<_> = batch.records().skip(skip as usize).collect();
            prop_assert_eq!(rest.left() as usize, expected.len());
            prop_assert_eq!(rest.collect::<Vec<_>>(), expected);
        }

        #[test]
        fn a_cut_batch_is_an_error(records in plain_records(), cut: prop::sample::Index) {
            prop_assume!(!records.is_empty());
            let mut batch = write(&records);
            batch.bytes.truncate(cut.index(batch.bytes.len()));
            prop_assert_eq!(read(&batch), Err(FormatError::Truncated));
            prop_assert_eq!(batch.check(), Err(FormatError::Truncated));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..200), count: u32) {
            let batch = Batch { id: RequestId(0), bytes: bytes.into(), count };
            let read = batch.records().collect::<Result<Vec<_>, _>>();
            if count > 0 || batch.bytes.is_empty() {
                prop_assert_eq!(read.map(|_| ()), batch.check());
            }
            prop_assert!(batch.records().count() <= batch.records().size_hint().1.unwrap());
        }
    }
}
