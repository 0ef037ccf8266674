use super::*;
use journal::{Frame, FrameKind, LogId};
use proptest::collection::vec;
use proptest::prelude::*;
use shard_state::{BatchWriter, encode_put};
use types::GroupId;

/// Entries with records of the given data sizes, numbered from 1; the records' data holds their number.
fn entries(sizes: &[Vec<usize>]) -> Vec<AppliedFrame> {
    let mut next = RecordNumber::FIRST;
    let entry = |(index, sizes): (usize, &Vec<usize>)| {
        let mut writer = BatchWriter::new();
        for (number, size) in (next.0..).zip(sizes) {
            let fill = |out: &mut [u8]| {
                out.fill(number as u8);
                Ok::<(), ()>(())
            };
            writer.push("k", None, *size, fill).unwrap();
        }
        let arrival = TimestampMs(1_000 + index as u64);
        let payload = encode_put(arrival, &[writer.finish()]);
        let log_id = LogId { term: 1, index: index as u64 };
        let frame = Frame::new(GroupId(1), FrameKind::Normal, log_id, 0, payload);
        let applied = AppliedFrame { frame, first_record: next, count: sizes.len() as u32, arrival };
        next.0 += sizes.len() as u64;
        applied
    };
    sizes.iter().enumerate().map(entry).collect()
}

fn slice(entries: &[AppliedFrame], extent: Extent) -> Result<Slicer, SliceError> {
    let mut slicer = Slicer::new(extent);
    entries.iter().try_for_each(|entry| slicer.take(entry)).map(|()| slicer)
}

fn extent(from: u64, end: u64) -> Extent {
    Extent { from: RecordNumber(from), end: RecordNumber(end), max_records: 1_000, max_bytes: u64::MAX }
}

#[test]
fn an_entry_that_is_missing_is_an_error_and_not_a_skip() {
    let mut entries = entries(&[vec![1, 1], vec![1], vec![1]]);
    entries.remove(1);
    let hole = SliceError::Hole { wanted: RecordNumber(3), found: RecordNumber(4) };
    assert_eq!(slice(&entries, extent(1, 5)).err(), Some(hole));
}

#[test]
fn what_was_trimmed_meanwhile_is_passed_over() {
    let entries = entries(&[vec![1, 1], vec![1, 1]]);
    let mut slicer = Slicer::new(extent(1, 5));
    slicer.pass_trimmed(RecordNumber(3));
    slicer.take(&entries[1]).unwrap();
    let numbers: Vec<u64> = slicer.records().iter().map(|record| record.number.0).collect();
    assert_eq!(numbers, [3, 4]);
}

#[test]
fn one_record_is_given_however_large_it_is() {
    let entries = entries(&[vec![500, 500]]);
    let slicer = slice(&entries, Extent { max_bytes: 1, max_records: 0, ..extent(1, 3) }).unwrap();
    assert_eq!((slicer.records().len(), slicer.next()), (1, RecordNumber(2)));
}

#[test]
fn a_malformed_entry_is_an_error() {
    let mut entries = entries(&[vec![3]]);
    let payload = entries[0].frame.payload.clone();
    entries[0].frame.payload = payload.slice(..payload.len() - 1);
    assert_eq!(slice(&entries, extent(1, 2)).err(), Some(SliceError::Format(FormatError::Truncated)));
}

proptest! {
    /// Against the flat list of all records: filter, then take while it fits.
    #[test]
    fn a_read_is_the_records_from_its_start_as_far_as_it_may_go(
        sizes in vec(vec(0usize..40, 1..6), 0..8),
        from in 1u64..40,
        end in 1u64..40,
        max_records in 1u32..12,
        max_bytes in 1u64..150,
    ) {
        let entries = entries(&sizes);
        let total = sizes.iter().map(Vec::len).sum::<usize>() as u64;
        let (from, end) = (from.min(total + 1), end.min(total + 1));
        let slicer = slice(&entries, Extent { max_records, max_bytes, ..extent(from, end) }).unwrap();

        let mut expected = Vec::new();
        let mut bytes = 0;
        let all = sizes.iter().enumerate().flat_map(|(entry, sizes)| sizes.iter().map(move |size| (entry, *size)));
        for (number, (entry, size)) in (1u64..).zip(all) {
            let more = bytes + size as u64 + 1;
            if number < from {
                continue;
            }
            let is_over = number >= end || expected.len() as u32 == max_records;
            if is_over || (!expected.is_empty() && more > max_bytes) {
                break;
            }
            bytes = more;
            expected.push((number, 1_000 + entry as u64, vec![number as u8; size]));
        }
        let next = from + expected.len() as u64;
        prop_assert_eq!((slicer.next().0, slicer.bytes()), (next, bytes));
        let read: Vec<_> = slicer
            .into_records()
            .into_iter()
            .map(|read| (read.number.0, read.arrival.0, read.record.data.to_vec()))
            .collect();
        prop_assert_eq!(read, expected);
    }

    /// However a reader pages, it sees each record once and in order.
    #[test]
    fn pages_neither_skip_nor_repeat(sizes in vec(vec(0usize..40, 1..6), 1..8), max_records in 1u32..7, max_bytes in 1u64..90) {
        let entries = entries(&sizes);
        let total = sizes.iter().map(Vec::len).sum::<usize>() as u64;
        let (mut next, mut seen) = (1, Vec::new());
        while next <= total {
            let extent = Extent { max_records, max_bytes, ..extent(next, total + 1) };
            let slicer = slice(&entries, extent).unwrap();
            seen.extend(slicer.records().iter().map(|record| record.number.0));
            prop_assert!(slicer.next().0 > next, "no progress at {next}");
            next = slicer.next().0;
        }
        prop_assert_eq!(seen, (1..=total).collect::<Vec<_>>());
    }
}
