use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use shard_state::BatchWriter;

fn denied() -> impl Strategy<Value = Denied> {
    prop_oneof![
        Just(Denied::Throttled),
        Just(Denied::Overloaded),
        Just(Denied::DiskFull),
        proptest::option::of(any::<u64>().prop_map(NodeId)).prop_map(Denied::NotLeader),
        Just(Denied::Closed),
        Just(Denied::UnknownShard),
        ".{0,9}".prop_map(Denied::Unknown),
        ".{0,9}".prop_map(Denied::Corrupt),
        ".{0,9}".prop_map(Denied::Unavailable),
    ]
}

fn append() -> impl Strategy<Value = Append> {
    let tried_for = proptest::option::of(any::<u32>().prop_map(|ms| Duration::from_millis(u64::from(ms))));
    let fields = (any::<u64>(), any::<u128>(), vec(vec(any::<u8>(), 0..50), 0..4), tried_for);
    fields.prop_map(|(group, request, records, tried_for)| {
        let mut batch = BatchWriter::new();
        for data in records {
            let copy = |into: &mut [u8]| -> Result<(), ()> {
                into.copy_from_slice(&data);
                Ok(())
            };
            batch.push("key", None, data.len(), copy).unwrap();
        }
        Append { group: GroupId(group), batch: batch.finish().of_request(RequestId(request)), tried_for }
    })
}

fn record() -> impl Strategy<Value = Record> {
    (vec(any::<u8>(), 1..9), vec(any::<u8>(), 0..40)).prop_map(|(key, data)| Record {
        partition_key: key.into(),
        explicit_hash_key: None,
        data: data.into(),
    })
}

proptest! {
    #[test]
    fn batches_come_out_as_they_went_in(batches_in in vec(append(), 0..6)) {
        let parts: Vec<Part> = batches_in.iter().map(Part::of).collect();
        let body = Bytes::from(batches_in.iter().flat_map(|append| append.batch.bytes.to_vec()).collect::<Vec<u8>>());
        let question = Question::Append(parts.clone());
        let head = encode(&question, std::slice::from_ref(&body));
        prop_assert_eq!(decode::<Question>(&head, &body), Some(question));
        prop_assert_eq!(decode::<Question>(&head, &[&body[..], b"x"].concat()), None);
        prop_assert_eq!(appends(&parts, body.clone()).unwrap(), batches_in);
        let longer = Bytes::from([&body[..], b"x"].concat());
        prop_assert!(appends(&parts, longer).is_none());
        let lying = |part: &Part| Part { records: part.records + 1, ..part.clone() };
        let lying: Vec<Part> = parts.iter().map(lying).collect();
        prop_assert!(lying.is_empty() || appends(&lying, body).is_none());
    }

    #[test]
    fn a_page_reads_back_and_a_cut_one_is_refused(
        first in 0u64..1 << 40,
        records in vec((any::<u64>(), record()), 0..9),
        millis_behind: u64,
        ended: bool,
        cut: proptest::sample::Index,
    ) {
        let records: Vec<ReadRecord> = (first..)
            .zip(records)
            .map(|(number, (arrival, record))| ReadRecord {
                number: RecordNumber(number),
                arrival: TimestampMs(arrival),
                record,
            })
            .collect();
        let next = RecordNumber(first + records.len() as u64);
        let batch = ReadBatch::received(records.clone(), next, millis_behind, ended);
        let (page, body) = page_of(&batch);
        let page: Page = decode(&encode(&page, &[]), &[]).unwrap();
        let body = Bytes::from(body.concat());
        let out = page.clone().into_batch(body.clone()).unwrap();
        prop_assert_eq!(&out.records, &records);
        prop_assert_eq!((out.next, out.millis_behind, out.ended), (next, millis_behind, ended));
        if !body.is_empty() {
            prop_assert!(page.into_batch(body.slice(..cut.index(body.len()))).is_none());
        }
    }

    #[test]
    fn refusals_mean_the_same_on_both_sides(denied in denied()) {
        prop_assert_eq!(decode::<Denied>(&encode(&denied, &[]), &[]), Some(denied.clone()));
        prop_assert_eq!(Denied::from(AppendError::from(denied.clone())), denied.clone());
        let again = ReadError::from(denied);
        prop_assert_eq!(ReadError::from(Denied::from(again.clone())), again);
    }

    #[test]
    fn garbage_is_refused_without_a_panic(bytes: Vec<u8>) {
        let _ = decode::<Question>(&bytes, &[]);
        let _ = decode::<Answer>(&bytes, &[]);
    }
}
