use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

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

fn record() -> impl Strategy<Value = Record> {
    (vec(any::<u8>(), 1..9), vec(any::<u8>(), 0..40)).prop_map(|(key, data)| Record {
        partition_key: key.into(),
        explicit_hash_key: None,
        data: data.into(),
    })
}

proptest! {
    #[test]
    fn batches_come_out_as_they_went_in(batches_in in vec((any::<u64>(), vec(any::<u8>(), 0..50), any::<u32>()), 0..6)) {
        let batches_in: Vec<(GroupId, Batch)> = batches_in
            .into_iter()
            .map(|(group, bytes, count)| (GroupId(group), Batch { bytes: bytes.into(), count }))
            .collect();
        let parts: Vec<Part> = batches_in.iter().map(|(group, batch)| Part::of(*group, batch)).collect();
        let body = Bytes::from(batches_in.iter().flat_map(|(_, batch)| batch.bytes.to_vec()).collect::<Vec<u8>>());
        let question = Question::Append(parts.clone());
        let head = encode(&question, std::slice::from_ref(&body));
        prop_assert_eq!(decode::<Question>(&head, &body), Some(question));
        prop_assert_eq!(decode::<Question>(&head, &[&body[..], b"x"].concat()), None);
        let out = batches(&parts, body.clone()).unwrap();
        prop_assert_eq!(out.len(), batches_in.len());
        for ((group, batch), (group_in, batch_in)) in out.iter().zip(&batches_in) {
            prop_assert_eq!((group, &batch.bytes, batch.count), (group_in, &batch_in.bytes, batch_in.count));
        }
        let longer = Bytes::from([&body[..], b"x"].concat());
        prop_assert!(batches(&parts, longer).is_none());
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
