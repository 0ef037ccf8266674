use std::time::Duration;

use shard_state::{Batch, FormatError, RECORD_OVERHEAD_BYTES, Record};

use super::ShardLimits;
use super::bucket::Bucket;
use crate::options::HASH_KEY_BYTES;

/// The part of a batch that may be written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Records, from the batch's beginning.
    pub(crate) count: u32,
    /// Their encoded bytes.
    pub(crate) bytes: usize,
}

/// A shard's write limit.
#[derive(Debug)]
pub(crate) struct WriteLimiter {
    bytes: Option<Bucket>,
    records: Option<Bucket>,
}

impl WriteLimiter {
    pub(crate) fn new(limits: &ShardLimits, now: Duration) -> WriteLimiter {
        WriteLimiter {
            bytes: limits.write_bytes_per_sec.map(|rate| Bucket::new(rate, now)),
            records: limits.write_records_per_sec.map(|rate| Bucket::new(rate, now)),
        }
    }

    /// Takes as many records from the batch's beginning as the limit allows, and charges for them.
    ///
    /// # Errors
    /// [`FormatError`] when the batch is malformed; a shard without limits doesn't look.
    pub(crate) fn take(&mut self, now: Duration, batch: &Batch) -> Result<Cut, FormatError> {
        if self.bytes.is_none() && self.records.is_none() {
            return Ok(Cut { count: batch.count, bytes: batch.bytes.len() });
        }
        self.bytes.iter_mut().chain(&mut self.records).for_each(|bucket| bucket.refill(now));
        let mut cut = Cut { count: 0, bytes: 0 };
        for record in batch.records() {
            let record = record?;
            if !self.take_record(counted_bytes(&record)) {
                break;
            }
            cut.count += 1;
            cut.bytes += encoded_bytes(&record);
        }
        Ok(cut)
    }

    fn take_record(&mut self, bytes: u64) -> bool {
        let fits = self.bytes.as_ref().is_none_or(|bucket| bucket.has(bytes))
            && self.records.as_ref().is_none_or(|bucket| bucket.has(1));
        if fits {
            self.bytes.iter_mut().for_each(|bucket| bucket.take(bytes));
            self.records.iter_mut().for_each(|bucket| bucket.take(1));
        }
        fits
    }
}

/// What a record counts towards limits: its data and its partition key (API reference, PutRecords).
pub(crate) fn counted_bytes(record: &Record) -> u64 {
    (record.data.len() + record.partition_key.len()) as u64
}

fn encoded_bytes(record: &Record) -> usize {
    let explicit = if record.explicit_hash_key.is_some() { HASH_KEY_BYTES } else { 0 };
    RECORD_OVERHEAD_BYTES + record.partition_key.len() + explicit + record.data.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use shard_state::BatchWriter;
    use std::num::NonZeroU64;
    use types::HashKey;
    use types::limits::SHARD_WRITE_BYTES_PER_SEC;

    fn batch(sizes: &[usize]) -> Batch {
        let mut writer = BatchWriter::new();
        for (at, size) in sizes.iter().enumerate() {
            let explicit = (at % 2 == 1).then_some(HashKey(7));
            writer.push("k", explicit, size.saturating_sub(1), |_| Ok::<(), ()>(())).unwrap();
        }
        writer.finish()
    }

    fn limits(bytes: u64, records: u64) -> ShardLimits {
        ShardLimits {
            write_bytes_per_sec: NonZeroU64::new(bytes),
            write_records_per_sec: NonZeroU64::new(records),
            ..ShardLimits::off()
        }
    }

    #[test]
    fn a_shard_without_limits_takes_everything_always() {
        let mut limiter = WriteLimiter::new(&ShardLimits::off(), Duration::ZERO);
        let batch = batch(&[1 << 20; 8]);
        for _ in 0..10 {
            assert_eq!(limiter.take(Duration::ZERO, &batch), Ok(Cut { count: 8, bytes: batch.bytes.len() }));
        }
    }

    #[test]
    fn a_thousand_records_a_second_and_not_one_more() {
        let mut limiter = WriteLimiter::new(&ShardLimits::aws(), Duration::ZERO);
        let batch = batch(&[10; 400]);
        let counts = [0, 0, 0, 0, 100, 1_100].map(|ms| limiter.take(Duration::from_millis(ms), &batch).unwrap().count);
        assert_eq!(counts, [400, 400, 200, 0, 100, 400]);
    }

    #[test]
    fn a_mebibyte_a_second_counts_data_and_keys_but_no_overhead() {
        let mut limiter = WriteLimiter::new(&limits(SHARD_WRITE_BYTES_PER_SEC, 0), Duration::ZERO);
        assert_eq!(limiter.take(Duration::ZERO, &batch(&[1_024; 1_000])).unwrap().count, 1_000);
        assert_eq!(limiter.take(Duration::ZERO, &batch(&[24 * 1_024, 1])).unwrap().count, 1);
        assert_eq!(limiter.take(Duration::ZERO, &batch(&[1])).unwrap().count, 0);
    }

    #[test]
    fn a_record_larger_than_a_seconds_worth_passes_a_full_bucket_and_is_paid_for() {
        let mut limiter = WriteLimiter::new(&limits(100, 0), Duration::ZERO);
        let large = batch(&[450]);
        let at = |ms| Duration::from_millis(ms);
        let counts = [0, 1_000, 4_490, 4_499].map(|ms| limiter.take(at(ms), &large).unwrap().count);
        assert_eq!(counts, [1, 0, 0, 0], "3.5 seconds of debt, then a second to fill");
        assert_eq!(limiter.take(at(4_500), &large).unwrap().count, 1);
    }

    proptest! {
        #[test]
        fn what_is_cut_off_is_a_whole_batch_of_the_first_records(sizes in vec(1usize..60, 0..20), rate in 1u64..500) {
            let batch = batch(&sizes);
            let cut = WriteLimiter::new(&limits(rate, rate), Duration::ZERO).take(Duration::ZERO, &batch).unwrap();
            let prefix = Batch { bytes: batch.bytes.slice(..cut.bytes), count: cut.count, ..batch.clone() };
            prop_assert_eq!(prefix.check(), Ok(()));
            let expected: Vec<_> = batch.records().take(cut.count as usize).collect();
            prop_assert_eq!(prefix.records().collect::<Vec<_>>(), expected);
        }

        /// Over any window, no more passes than the rate, one bucket, and the debt of one record.
        #[test]
        fn no_window_passes_more_than_its_share(
            steps in vec((0u64..1_500, vec(1usize..300, 1..8)), 1..40),
            bytes_rate in 1u64..400,
            records_rate in 1u64..10,
        ) {
            let mut limiter = WriteLimiter::new(&limits(bytes_rate, records_rate), Duration::ZERO);
            let (mut now_ms, mut passed) = (0, Vec::new());
            for (wait_ms, sizes) in &steps {
                now_ms += wait_ms;
                let cut = limiter.take(Duration::from_millis(now_ms), &batch(sizes)).unwrap();
                let bytes: usize = sizes.iter().take(cut.count as usize).sum();
                passed.push((now_ms, bytes as u64, u64::from(cut.count)));
            }
            for (from, (start, ..)) in passed.iter().enumerate() {
                let (mut bytes, mut records) = (0, 0);
                for (at, more_bytes, more_records) in &passed[from..] {
                    bytes += more_bytes;
                    records += more_records;
                    let elapsed_ms = at - start;
                    prop_assert!(records * 1_000 <= records_rate * (1_000 + elapsed_ms));
                    prop_assert!(bytes * 1_000 <= bytes_rate * (1_000 + elapsed_ms) + 300 * 1_000);
                }
            }
        }

        #[test]
        fn whoever_waits_long_enough_gets_through(sizes in vec(1usize..3_000, 1..5), rate in 1u64..400) {
            let mut limiter = WriteLimiter::new(&limits(rate, rate), Duration::ZERO);
            let mut now = Duration::ZERO;
            for size in sizes {
                limiter.take(now, &batch(&[size; 3])).unwrap();
                // The debt of the largest record at most, and a second to fill.
                now += Duration::from_secs(3_000 / rate + 2);
                prop_assert_eq!(limiter.take(now, &batch(&[size])).unwrap().count, 1);
            }
        }
    }
}
