//! One request's records into one batch per shard: pure.

use shard_state::{Batch, BatchWriter, RECORD_OVERHEAD_BYTES};
use types::HashKey;

use crate::route::{Route, RoutedShard};
use crate::{InvalidArgument, RouterError};

/// Bytes of an explicit hash key in a stored record.
const HASH_KEY_BYTES: usize = 16;

/// One record of a put, as the request has it. The API implements this over the wire's entries, so that nothing is copied before
/// it lies where it stays.
pub trait PutEntry {
    /// The partition key: 1 to 256 characters, checked before.
    fn partition_key(&self) -> &str;

    /// The explicit hash key, as text.
    fn explicit_hash_key(&self) -> Option<&str>;

    /// How many bytes [`Self::decode_into`] gives.
    fn data_len(&self) -> usize;

    /// Decodes the data into exactly that many bytes, zero before.
    ///
    /// # Errors
    /// [`InvalidData`] when it does not decode; what was written is then thrown away.
    fn decode_into(&self, out: &mut [u8]) -> Result<(), InvalidData>;
}

impl<T: PutEntry> PutEntry for &T {
    fn partition_key(&self) -> &str {
        T::partition_key(self)
    }

    fn explicit_hash_key(&self) -> Option<&str> {
        T::explicit_hash_key(self)
    }

    fn data_len(&self) -> usize {
        T::data_len(self)
    }

    fn decode_into(&self, out: &mut [u8]) -> Result<(), InvalidData> {
        T::decode_into(self, out)
    }
}

/// A record's data is not what its encoding allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data does not decode")]
pub struct InvalidData;

/// The batches of one request, and where each record went.
#[derive(Debug)]
pub(crate) struct Split {
    /// One for each shard that gets a record.
    pub(crate) parts: Vec<Part>,
    /// For each record, in the order of the request, its part.
    pub(crate) part_of: Vec<u32>,
}

/// The records of one shard.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) shard: RoutedShard,
    pub(crate) batch: Batch,
}

/// What the first look at a record gives: the place of its shard in the route's table, its size when stored, and the hash key
/// if it is to be stored.
struct Placed {
    slot: u32,
    bytes: usize,
    explicit: Option<HashKey>,
}

/// Writes each record into the batch of its shard, in the order of the request. Looks twice: first where records fall, so that
/// each batch's buffer is made in its final size, then the data, which is decoded straight into it. Memory is taken by shard and
/// by request, never by record.
///
/// # Errors
/// For a hash key that is none, a record larger than the stream allows, and data that does not decode: the whole request is
/// then refused, before anything of it is stored.
pub(crate) fn split<E: PutEntry>(
    route: &Route,
    entries: impl ExactSizeIterator<Item = E> + Clone,
) -> Result<Split, RouterError> {
    let mut placed = Vec::with_capacity(entries.len());
    for (index, entry) in entries.clone().enumerate() {
        placed.push(place(route, index, &entry)?);
    }
    // A request touches few of a stream's shards, of which there may be thousands.
    let mut slots: Vec<u32> = placed.iter().map(|placed| placed.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    let mut part_of = Vec::with_capacity(placed.len());
    let mut bytes = vec![0; slots.len()];
    for placed in &placed {
        let part = slots.partition_point(|slot| *slot < placed.slot);
        bytes[part] += placed.bytes;
        part_of.push(part as u32);
    }
    let mut writers: Vec<BatchWriter> = bytes.into_iter().map(BatchWriter::with_capacity).collect();
    for (index, entry) in entries.enumerate() {
        writers[part_of[index] as usize]
            .push(entry.partition_key(), placed[index].explicit, entry.data_len(), |out| entry.decode_into(out))
            .map_err(|InvalidData| InvalidArgument::Data { index })?;
    }
    let parts = slots.iter().zip(writers).map(|(slot, writer)| {
        let shard = route.open_shard(*slot as usize).ok_or_else(no_shard)?;
        Ok(Part { shard, batch: writer.finish() })
    });
    Ok(Split { parts: parts.collect::<Result<_, RouterError>>()?, part_of })
}

fn place(route: &Route, index: usize, entry: &impl PutEntry) -> Result<Placed, RouterError> {
    let record_bytes = entry.data_len() + entry.partition_key().len();
    if record_bytes > route.max_record_bytes {
        return Err(InvalidArgument::RecordTooLarge { index, max_bytes: route.max_record_bytes }.into());
    }
    let explicit = entry.explicit_hash_key().map(parse_hash_key).transpose()?;
    let key = explicit.unwrap_or_else(|| HashKey::of_partition_key(entry.partition_key()));
    let explicit_bytes = if explicit.is_some() { HASH_KEY_BYTES } else { 0 };
    // A stream has fewer than 2^31 shards.
    let slot = route.slot_of(key) as u32;
    Ok(Placed { slot, bytes: RECORD_OVERHEAD_BYTES + record_bytes + explicit_bytes, explicit })
}

/// The catalog checks that open shards cover the key space, so that this shows a bug.
fn no_shard() -> RouterError {
    RouterError::Internal("no open shard has this hash key".into())
}

fn parse_hash_key(text: &str) -> Result<HashKey, RouterError> {
    text.parse().map_err(|_| InvalidArgument::ExplicitHashKey { hash_key: text.to_owned() }.into())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::route::tests::stream;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use types::ShardId;

    #[derive(Debug, Clone)]
    pub(crate) struct Entry {
        pub(crate) key: String,
        pub(crate) explicit: Option<String>,
        pub(crate) data: Option<Vec<u8>>,
    }

    impl PutEntry for Entry {
        fn partition_key(&self) -> &str {
            &self.key
        }

        fn explicit_hash_key(&self) -> Option<&str> {
            self.explicit.as_deref()
        }

        fn data_len(&self) -> usize {
            self.data.as_ref().map_or(3, Vec::len)
        }

        fn decode_into(&self, out: &mut [u8]) -> Result<(), InvalidData> {
            let data = self.data.as_ref().ok_or(InvalidData)?;
            out.copy_from_slice(data);
            Ok(())
        }
    }

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let entry = ("\\PC{1,8}", any::<Option<u128>>(), vec(any::<u8>(), 0..30)).prop_map(|(key, explicit, data)| {
            Entry { key, explicit: explicit.map(|key| key.to_string()), data: Some(data) }
        });
        vec(entry, 1..40)
    }

    fn plain(key: &str) -> Entry {
        Entry { key: key.into(), explicit: None, data: Some(vec![1]) }
    }

    #[test]
    fn one_record_that_does_not_decode_refuses_the_request() {
        let route = Route::new(&stream(2), 1);
        let bad = Entry { data: None, ..plain("b") };
        let result = split(&route, [plain("a"), bad, plain("c")].iter());
        assert_eq!(result.unwrap_err(), InvalidArgument::Data { index: 1 }.into());
    }

    #[test]
    fn a_hash_key_of_2_to_the_128_is_refused() {
        let route = Route::new(&stream(2), 1);
        let hash_key = "340282366920938463463374607431768211456".to_owned();
        let bad = Entry { explicit: Some(hash_key.clone()), ..plain("b") };
        assert_eq!(split(&route, [bad].iter()).unwrap_err(), InvalidArgument::ExplicitHashKey { hash_key }.into());
    }

    #[test]
    fn a_record_may_have_what_the_stream_allows_and_not_a_byte_more() {
        let route = Route::new(&stream(1), 1);
        let of = |bytes: usize| Entry { data: Some(vec![0; bytes - 1]), ..plain("k") };
        let max_bytes = 1_024 * 1_024;
        assert!(split(&route, [of(max_bytes)].iter()).is_ok());
        let error = split(&route, [plain("a"), of(max_bytes + 1)].iter()).unwrap_err();
        assert_eq!(error, InvalidArgument::RecordTooLarge { index: 1, max_bytes }.into());
    }

    fn stored(batch: &Batch) -> Vec<(String, Option<HashKey>, Vec<u8>)> {
        let plain = |record: shard_state::Record| {
            (record.partition_key_str().unwrap().to_owned(), record.explicit_hash_key, record.data.to_vec())
        };
        batch.records().map(Result::unwrap).map(plain).collect()
    }

    proptest! {
        #[test]
        fn each_record_lies_in_its_shards_batch_in_the_order_of_the_request(entries in entries(), shards in 1u32..9) {
            let stream = stream(shards);
            let route = Route::new(&stream, 1);
            let split = split(&route, entries.iter()).unwrap();
            prop_assert_eq!(split.part_of.len(), entries.len());

            let mut expected = vec![Vec::new(); shards as usize];
            for entry in &entries {
                let explicit: Option<HashKey> = entry.explicit.as_ref().map(|key| key.parse().unwrap());
                let key = explicit.unwrap_or_else(|| HashKey::of_partition_key(&entry.key));
                let shard = stream.open_shard_of(key).unwrap();
                expected[shard.id.0 as usize].push((entry.key.clone(), explicit, entry.data.clone().unwrap()));
            }
            for (id, expected) in (0..).map(ShardId).zip(expected) {
                let part = split.parts.iter().position(|part| part.shard.identity.shard == id);
                prop_assert_eq!(part.is_none(), expected.is_empty());
                let Some(part) = part else { continue };
                let of_part = split.part_of.iter().filter(|other| **other == part as u32).count();
                prop_assert_eq!(of_part, expected.len());
                let batch = &split.parts[part].batch;
                prop_assert_eq!(batch.check(), Ok(()));
                prop_assert_eq!(stored(batch), expected);
            }
        }
    }
}
