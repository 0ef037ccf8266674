//! Reads a stream from its beginning and compares it with what was acknowledged.

use std::sync::{Arc, Mutex, PoisonError};

use env::Env;
use serde::Serialize;
use tokio::task::JoinSet;

use super::bitmap::Bitmap;
use super::client::Client;
use super::counters::Counters;
use super::error::BenchError;
use super::payload::{Payload, RecordId, Verdict};
use super::progress;
use super::shard_reader::ShardReader;
use crate::http::Endpoint;

/// Shards read at once. More gain nothing on a machine that serves them too.
const READERS_MAX: usize = 8;
const LIMIT: u32 = 10_000;

/// What one worker has put: numbers from 0 up to `sent`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) sent: u64,
    pub(crate) acknowledged: Bitmap,
    /// Those that were sent again, or may be on their way still: they may be there more than once, and later than their successors.
    pub(crate) repeated: Bitmap,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Findings {
    /// Records that the server acknowledged.
    pub(crate) acknowledged: u64,
    /// Different records of this run that were read, whether acknowledged or not.
    pub(crate) read: u64,
    /// Acknowledged and not there.
    pub(crate) lost: u64,
    /// There more than once, though sent once.
    pub(crate) duplicated: u64,
    /// There with other bytes.
    pub(crate) corrupted: u64,
    /// There and never sent.
    pub(crate) phantoms: u64,
}

impl Findings {
    /// Whether everything acknowledged is there, once and unchanged, and nothing else.
    pub(crate) fn is_sound(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.corrupted == 0 && self.phantoms == 0
    }
}

/// The comparison, fed record by record.
pub(crate) struct Audit {
    payload: Payload,
    /// By worker.
    pub(crate) ledgers: Vec<Ledger>,
    seen: Vec<Bitmap>,
    findings: Findings,
}

impl Audit {
    pub(crate) fn new(payload: Payload, ledgers: Vec<Ledger>) -> Self {
        let seen = vec![Bitmap::default(); ledgers.len()];
        Self { payload, ledgers, seen, findings: Findings::default() }
    }

    /// Notes a record that was read, and says whose it is.
    pub(crate) fn record(&mut self, data: &[u8]) -> Verdict {
        let verdict = self.payload.judge(data);
        match verdict {
            Verdict::Foreign => {}
            Verdict::Corrupt => self.findings.corrupted += 1,
            Verdict::Ours(RecordId { worker, number }) => {
                let worker = usize::from(worker);
                let ledger = self.ledgers.get(worker).filter(|ledger| number < ledger.sent);
                match ledger.zip(self.seen.get_mut(worker)) {
                    None => self.findings.phantoms += 1,
                    Some((ledger, seen)) => {
                        let is_again = !seen.insert(number) && !ledger.repeated.contains(number);
                        self.findings.duplicated += u64::from(is_again);
                    }
                }
            }
        }
        verdict
    }

    /// What was found until now. What is acknowledged and has not been read counts as lost.
    pub(crate) fn findings(&self) -> Findings {
        let mut findings = self.findings.clone();
        for (ledger, seen) in self.ledgers.iter().zip(&self.seen) {
            findings.acknowledged += ledger.acknowledged.count();
            findings.read += seen.count();
            findings.lost += ledger.acknowledged.count_missing_in(seen);
        }
        findings
    }
}

/// Reads all `shards` of `stream`.
pub(crate) async fn run(
    env: &Env,
    endpoint: &Endpoint,
    (stream, shards): (&str, &[String]),
    payload: &Payload,
    ledgers: Vec<Ledger>,
) -> Result<Findings, BenchError> {
    let counters = Arc::new(Counters::default());
    progress::show(env, "check", None, &counters);
    let audit = Arc::new(Mutex::new(Audit::new(payload.clone(), ledgers)));
    let stream: Arc<str> = Arc::from(stream);
    let mut todo = shards.iter();
    let mut readers = JoinSet::new();
    let mut result = Ok(());
    loop {
        while let Some(shard) = (readers.len() < READERS_MAX && result.is_ok()).then(|| todo.next()).flatten() {
            let client = Client::new(env, endpoint);
            let reader = ShardReader::new(env, client, (&stream, shard), LIMIT, &counters);
            readers.spawn(read_shard(reader, Arc::clone(&audit)));
        }
        let Some(read) = readers.join_next().await else { break };
        // A reader that panicked ends the process: panics abort.
        result = result.and(read.unwrap_or(Ok(())));
    }
    counters.is_done.store(true, std::sync::atomic::Ordering::Relaxed);
    result?;
    let audit = Arc::into_inner(audit).and_then(|audit| audit.into_inner().ok());
    Ok(audit.map(|audit| audit.findings()).unwrap_or_default())
}

async fn read_shard(mut reader: ShardReader, audit: Arc<Mutex<Audit>>) -> Result<(), BenchError> {
    let mut scratch = Vec::new();
    reader.rewind().await?;
    while let Some(read) = reader.next().await? {
        if read.is_at_tip {
            break;
        }
        let mut audit = audit.lock().unwrap_or_else(PoisonError::into_inner);
        read.for_each(&mut scratch, |data| _ = audit.record(data))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;

    use super::super::payload::IDENTITY_CHARS;
    use super::*;

    fn data(payload: &Payload, worker: u16, number: u64) -> Vec<u8> {
        let mut text = vec![0; IDENTITY_CHARS];
        payload.patch(RecordId { worker, number }, &mut text);
        text.extend_from_slice(payload.filler_base64().as_bytes());
        STANDARD.decode_to_vec(&text).unwrap()
    }

    /// Two workers sent three records each, of which all but the second worker's last were acknowledged.
    fn audit(read: impl FnOnce(&Payload) -> Vec<Vec<u8>>) -> Findings {
        let payload = Payload::new(3, 50);
        let ledger = |acknowledged: u64| {
            let mut ledger = Ledger { sent: 3, ..Ledger::default() };
            (0..acknowledged).for_each(|number| assert!(ledger.acknowledged.insert(number)));
            ledger
        };
        let mut audit = Audit::new(payload.clone(), vec![ledger(3), ledger(2)]);
        read(&payload).iter().for_each(|data| _ = audit.record(data));
        audit.findings()
    }

    fn acknowledged(payload: &Payload) -> Vec<Vec<u8>> {
        [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)].map(|(worker, number)| data(payload, worker, number)).to_vec()
    }

    #[test]
    fn everything_acknowledged_once_is_sound_with_or_without_what_was_not() {
        let findings = audit(acknowledged);
        assert_eq!(findings, Findings { acknowledged: 5, read: 5, ..Findings::default() });
        assert!(findings.is_sound());
        let more = |payload: &Payload| [acknowledged(payload), vec![data(payload, 1, 2), vec![0; 50]]].concat();
        assert_eq!(audit(more), Findings { acknowledged: 5, read: 6, ..Findings::default() });
    }

    #[test]
    fn a_lost_a_doubled_a_changed_and_an_invented_record_are_each_found() {
        let lost = audit(|payload| acknowledged(payload)[1..].to_vec());
        assert_eq!((lost.lost, lost.is_sound()), (1, false));
        let doubled = audit(|payload| [acknowledged(payload), vec![data(payload, 0, 1)]].concat());
        assert_eq!((doubled.duplicated, doubled.is_sound()), (1, false));
        let invented =
            audit(|payload| [acknowledged(payload), vec![data(payload, 0, 3), data(payload, 2, 0)]].concat());
        assert_eq!((invented.phantoms, invented.is_sound()), (2, false));
        let changed = audit(|payload| {
            let mut records = acknowledged(payload);
            records[0][20] ^= 1;
            records
        });
        assert_eq!((changed.corrupted, changed.lost, changed.is_sound()), (1, 1, false));
    }
}
