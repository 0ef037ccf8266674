//! Which puts share an entry, and which of its numbers each gets: pure.

use shard_state::{Batch, REQUEST_BYTES};
use types::RecordNumber;

/// How much one entry takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryLimit {
    /// Bytes of batches and their requests, a single larger one excepted.
    pub(crate) bytes_max: u64,
    /// Batches.
    pub(crate) batches_max: usize,
}

/// The puts of the next entry, with whom to answer. They keep the order in which they came.
#[derive(Debug)]
pub(crate) struct Gathering<W> {
    limit: EntryLimit,
    batches: Vec<Batch>,
    waiting: Vec<(u32, W)>,
    bytes: u64,
}

impl<W> Gathering<W> {
    pub(crate) fn new(limit: EntryLimit) -> Gathering<W> {
        Gathering { limit, batches: Vec::new(), waiting: Vec::new(), bytes: 0 }
    }

    /// Adds a put, or gives it back if the entry is full. The first one always fits.
    pub(crate) fn offer(&mut self, batch: Batch, waiting: W) -> Result<(), (Batch, W)> {
        let bytes = self.bytes + (batch.bytes.len() + REQUEST_BYTES) as u64;
        let is_full = bytes > self.limit.bytes_max || self.batches.len() >= self.limit.batches_max;
        if is_full && !self.batches.is_empty() {
            return Err((batch, waiting));
        }
        self.bytes = bytes;
        self.waiting.push((batch.count, waiting));
        self.batches.push(batch);
        Ok(())
    }

    /// The batches, in order.
    pub(crate) fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Lets go of the batches' bytes, which are in the entry now.
    pub(crate) fn into_waiting(self) -> Vec<(u32, W)> {
        self.waiting
    }
}

/// The first record of each put, given the first of the entry.
pub(crate) fn shares<W>(first: RecordNumber, waiting: Vec<(u32, W)>) -> impl Iterator<Item = (RecordNumber, u32, W)> {
    let mut next = first.0;
    waiting.into_iter().map(move |(count, waiting)| {
        let first = RecordNumber(next);
        next += u64::from(count);
        (first, count, waiting)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use shard_state::RequestId;

    fn batch(bytes: usize, count: u32) -> Batch {
        Batch { id: RequestId(0), bytes: Bytes::from(vec![0; bytes]), count }
    }

    const LIMIT: EntryLimit = EntryLimit { bytes_max: 100 + 2 * REQUEST_BYTES as u64, batches_max: 3 };

    #[test]
    fn a_batch_larger_than_an_entry_goes_alone() {
        let mut gathering = Gathering::new(LIMIT);
        assert!(gathering.offer(batch(500, 1), 'a').is_ok());
        assert!(gathering.offer(batch(1, 1), 'b').is_err());
    }

    #[test]
    fn an_entry_is_full_at_its_bytes_or_its_batches() {
        let mut by_bytes = Gathering::new(LIMIT);
        let taken = [60, 40, 0].map(|bytes| by_bytes.offer(batch(bytes, 1), ()).is_ok());
        assert_eq!(taken, [true, true, false]);
        let mut by_batches = Gathering::new(LIMIT);
        let taken = [1, 1, 1, 1].map(|bytes| by_batches.offer(batch(bytes, 1), ()).is_ok());
        assert_eq!(taken, [true, true, true, false]);
    }

    proptest! {
        /// Whatever is gathered: every put is in one entry, in order, and its numbers are those its records have in the log.
        #[test]
        fn every_put_gets_the_numbers_of_its_own_records(puts in vec((1usize..80, 1u32..6), 1..60)) {
            let mut answered = Vec::new();
            let mut next = RecordNumber::FIRST;
            let mut waiting = puts.iter().enumerate().map(|(at, (bytes, count))| (batch(*bytes, *count), at)).peekable();
            while waiting.peek().is_some() {
                let mut gathering = Gathering::new(LIMIT);
                while let Some((batch, at)) = waiting.peek().cloned() {
                    if gathering.offer(batch, at).is_err() {
                        break;
                    }
                    waiting.next();
                }
                let batches = gathering.batches();
                let bytes: usize = batches.iter().map(|batch| batch.bytes.len() + REQUEST_BYTES).sum();
                prop_assert!(batches.len() == 1 || bytes as u64 <= LIMIT.bytes_max);
                prop_assert!((1..=3).contains(&batches.len()));
                let records: u32 = batches.iter().map(|batch| batch.count).sum();
                answered.extend(shares(next, gathering.into_waiting()));
                next.0 += u64::from(records);
            }
            let mut first = RecordNumber::FIRST;
            prop_assert_eq!(answered.len(), puts.len());
            for (at, (_, count)) in puts.iter().enumerate() {
                prop_assert_eq!(answered[at], (first, *count, at));
                first.0 += u64::from(*count);
            }
        }
    }
}
