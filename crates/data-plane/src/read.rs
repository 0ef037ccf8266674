use shard_state::{Phase, ShardIdentity};
use types::limits::KIB;
use types::{RecordNumber, TimestampMs};

use crate::budget::{Budget, Lease};
use crate::error::NoService;
use crate::shard::Shard;
use crate::slice::{Extent, Slicer};
use crate::{ReadError, ReadRecord};

/// Bytes read from the log at once. Below it a disk's latency counts more than its throughput.
const CHUNK_BYTES_MAX: u64 = 1_024 * KIB;
/// The least that is read at once: a segment's index is no finer.
const CHUNK_BYTES_MIN: u64 = 64 * KIB;
/// What a record is taken to have, to begin with, where a read asks for few.
const RECORD_BYTES_GUESS: u64 = KIB;

/// What a read gave. It counts towards the bytes that the node's reads may hold until it is dropped: drop it when the reply is
/// made.
#[derive(Debug)]
pub struct ReadBatch {
    /// The records, without a gap.
    pub records: Vec<ReadRecord>,
    /// Where to go on.
    pub next: RecordNumber,
    /// 0 at the tip; else how many milliseconds ago the last record read arrived.
    pub millis_behind: u64,
    /// Whether the shard is closed and this was its end.
    pub ended: bool,
    _memory: Option<Lease>,
}

impl ReadBatch {
    /// What another node has read. Its memory counts there and on the way, not here.
    #[must_use]
    pub fn received(records: Vec<ReadRecord>, next: RecordNumber, millis_behind: u64, ended: bool) -> ReadBatch {
        ReadBatch { records, next, millis_behind, ended, _memory: None }
    }
}

/// Where a shard begins and ends at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Positions {
    /// The oldest record that is retained; [`Positions::latest`] if there is none.
    pub trim_horizon: RecordNumber,
    /// The next record to be written.
    pub latest: RecordNumber,
    /// Whether it takes no more records.
    pub closed: bool,
    /// Which shard it is.
    pub identity: ShardIdentity,
    /// When its newest record arrived; 0 before the first.
    pub last_arrival: TimestampMs,
}

impl Shard {
    pub(crate) fn positions(&self) -> Positions {
        let published = self.published();
        Positions {
            trim_horizon: published.trim.next_record,
            latest: published.next_record,
            closed: published.phase != Phase::Open,
            identity: self.identity,
            last_arrival: published.last_arrival,
        }
    }

    /// Reads from `from` on, or from the trim point if that is later.
    pub(crate) async fn read(
        &self,
        from: RecordNumber,
        max_records: u32,
        max_bytes: u64,
        memory: &Budget,
    ) -> Result<ReadBatch, ReadError> {
        self.serves()?;
        if !self.reads.lock().begin(self.clock.monotonic()) {
            return Err(ReadError::Throttled);
        }
        let seen = self.published();
        let from = from.max(seen.trim.next_record);
        let mut slicer = Slicer::new(Extent { from, end: seen.next_record, max_records, max_bytes });
        let memory = if slicer.is_done() { None } else { Some(self.collect(&mut slicer, memory).await?) };
        self.reads.lock().end(self.clock.monotonic(), slicer.bytes());
        self.telemetry.get_records.inc_by(slicer.records().len() as u64);
        self.telemetry.get_bytes.inc_by(slicer.bytes());
        Ok(self.batch(slicer, memory))
    }

    /// Fills the slicer chunk by chunk. The first waits for memory; when there is none for another, less is given: a read that
    /// holds some never waits for more, or they would wait for each other.
    async fn collect(&self, slicer: &mut Slicer, memory: &Budget) -> Result<Lease, ReadError> {
        let mut lease = Lease::new(&self.telemetry.get_held_bytes);
        while !slicer.is_done() {
            let chunk_bytes = chunk_bytes(slicer.room()).min(u64::from(memory.total()));
            let permit = match slicer.records().is_empty() {
                true => memory.take(chunk_bytes as usize).await,
                false => memory.try_take(chunk_bytes as usize),
            };
            let Some(permit) = permit else { break };
            lease.add(permit);
            if !self.collect_chunk(slicer, chunk_bytes).await? {
                break;
            }
        }
        Ok(lease)
    }

    /// Whether there may be more.
    async fn collect_chunk(&self, slicer: &mut Slicer, chunk_bytes: u64) -> Result<bool, ReadError> {
        let entries =
            self.log.read_records(slicer.next(), chunk_bytes).await.map_err(|error| self.log_failed(error))?;
        // A trim that came meanwhile may have taken the records away; nothing else may.
        let first = entries.first().map_or(RecordNumber::CLOSING, |entry| entry.first_record);
        slicer.pass_trimmed(first.min(self.published().trim.next_record));
        for entry in &entries {
            slicer.take(entry).map_err(|error| self.fail(NoService::Corrupt(error.to_string())))?;
        }
        if entries.is_empty() && !slicer.is_done() {
            let missing = format!("record {} is missing", slicer.next());
            return Err(self.fail(NoService::Corrupt(missing)).into());
        }
        Ok(!entries.is_empty())
    }

    /// What an error of the log means for the shard.
    pub(crate) fn log_failed(&self, error: journal::Error) -> NoService {
        match error {
            journal::Error::Damaged(_) | journal::Error::GroupDamaged { .. } => {
                self.fail(NoService::Corrupt(error.to_string()))
            }
            journal::Error::Dropped(_) => NoService::UnknownShard,
            other => NoService::Unavailable(other.to_string()),
        }
    }

    fn batch(&self, slicer: Slicer, memory: Option<Lease>) -> ReadBatch {
        // Asked again: what came while this was read is ahead of the reader.
        let published = self.published();
        let next = slicer.next();
        let at_tip = next >= published.next_record;
        let millis_behind = match slicer.records().last() {
            Some(last) if !at_tip => self.clock.now().max(published.last_arrival).0 - last.arrival.0,
            _ => 0,
        };
        let ended = at_tip && published.phase != Phase::Open;
        ReadBatch { records: slicer.into_records(), next, millis_behind, ended, _memory: memory }
    }
}

fn chunk_bytes((records, bytes): (u32, u64)) -> u64 {
    bytes.min(u64::from(records) * RECORD_BYTES_GUESS).clamp(CHUNK_BYTES_MIN, CHUNK_BYTES_MAX)
}
