//! `thalweg bench put`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use env::Env;
use serde::Deserialize;
use tokio::task::JoinSet;

use super::args::BenchArgs;
use super::batch::Batch;
use super::check::{self, Ledger};
use super::client::Client;
use super::control::{Stream, read};
use super::counters::Counters;
use super::error::BenchError;
use super::gaps::{Gaps, Pin};
use super::latency::Latency;
use super::payload::{Payload, split_mix};
use super::progress;
use super::report::{Measured, Report};
use super::syncs::Syncs;
use crate::http::Endpoint;

/// After a call without answer, so that a server that is down isn't called in a tight loop.
const BROKEN_PAUSE: Duration = Duration::from_millis(50);

/// Of PutRecords (Kinesis).
const COUNT_MAX: u32 = 500;
const BYTES_MAX: u64 = 10 << 20;
const KEY_BYTES: u64 = 16;

/// When a load ends.
#[derive(Clone, Copy)]
pub(crate) struct Until {
    pub(crate) time: Option<Duration>,
    pub(crate) records: Option<u64>,
}

/// What a load did.
pub(crate) struct Load {
    pub(crate) ledgers: Vec<Ledger>,
    pub(crate) measured: Measured,
}

/// Loads, measures and checks.
pub(crate) async fn run(env: &Env, args: &BenchArgs) -> Result<Report, BenchError> {
    let endpoint = Endpoint::find(&args.endpoint).await?;
    let mut control = Client::new(env, &endpoint);
    let stream = Stream::open(env, &mut control, args).await?;
    let payload = Payload::new(env.random.u64(), args.record_bytes as usize);
    let until = Until { time: Some(Duration::from_secs(args.seconds)), records: args.records };
    let mut syncs = Syncs::open(env, args.admin_endpoint.as_deref()).await?;
    let mut load = load(env, &endpoint, &stream.name, args, &payload, until).await?;
    load.measured.syncs = syncs.since_open().await?;
    let findings = if args.skip_check {
        None
    } else {
        Some(check::run(env, &endpoint, (&stream.name, &stream.shards), &payload, load.ledgers).await?)
    };
    stream.close(&mut control, args.keep).await?;
    Ok(Report::new("put", args, &stream, load.measured, findings))
}

/// Puts records with all workers until `until`.
pub(crate) async fn load(
    env: &Env,
    endpoint: &Endpoint,
    stream: &str,
    args: &BenchArgs,
    payload: &Payload,
    until: Until,
) -> Result<Load, BenchError> {
    let count = args.batch.min(COUNT_MAX);
    if u64::from(count) * (payload.record_bytes() as u64 + KEY_BYTES) > BYTES_MAX {
        return Err(BenchError::Batch { batch: count, record_bytes: args.record_bytes });
    }
    let counters = Arc::new(Counters::default());
    progress::show(env, "put", until.time.map(|time| time.as_secs()), &counters);
    let begun = env.clock.monotonic();
    let claimed = Arc::new(AtomicU64::new(0));
    let gaps = args.gaps.then(|| Arc::new(Gaps::new(args.shards)));
    let mut workers = JoinSet::new();
    for index in 0..args.in_flight {
        let worker = Worker {
            env: env.clone(),
            client: Client::new(env, endpoint),
            batch: Batch::new(stream, payload, count as usize),
            payload: payload.clone(),
            // At most 10,000 by the command line.
            index: index as u16,
            keys: env.random.u64(),
            pin: gaps.as_ref().map(|gaps| gaps.pin(index as usize)),
            ledger: Ledger::default(),
            latency: Latency::new(),
            requests: 0,
            counters: Arc::clone(&counters),
        };
        let deadline = until.time.map(|time| begun + time);
        workers.spawn(worker.run(deadline, until.records, Arc::clone(&claimed)));
    }
    let mut done = workers.join_all().await;
    counters.is_done.store(true, Ordering::Relaxed);
    done.sort_by_key(|worker| worker.index);
    let mut measured = Measured::new(env.clock.monotonic() - begun, &counters);
    measured.gaps = gaps.map(|gaps| gaps.report(env.clock.monotonic()));
    for worker in &done {
        measured.latency.add(&worker.latency);
        measured.requests += worker.requests;
    }
    Ok(Load { ledgers: done.into_iter().map(|worker| worker.ledger).collect(), measured })
}

/// One connection, one request at a time.
struct Worker {
    env: Env,
    client: Client,
    batch: Batch,
    payload: Payload,
    index: u16,
    keys: u64,
    pin: Option<Pin>,
    ledger: Ledger,
    latency: Latency,
    requests: u64,
    counters: Arc<Counters>,
}

impl Worker {
    async fn run(mut self, deadline: Option<Duration>, records: Option<u64>, claimed: Arc<AtomicU64>) -> Self {
        let count = self.batch.count() as u64;
        let is_due = |now: Duration| deadline.is_some_and(|deadline| now >= deadline);
        let is_enough = || records.is_some_and(|records| claimed.fetch_add(count, Ordering::Relaxed) >= records);
        while !is_due(self.env.clock.monotonic()) && !is_enough() {
            self.put().await;
        }
        self
    }

    async fn put(&mut self) {
        let first = self.ledger.sent;
        self.ledger.sent += self.batch.count() as u64;
        let (pin, keys) = (&self.pin, &mut self.keys);
        let next_key = || match pin {
            Some(pin) => pin.next_key(keys),
            None => split_mix(keys),
        };
        let body = self.batch.fill(&self.payload, self.index, first, next_key);
        let begun = self.env.clock.monotonic();
        let replied = self.client.call("PutRecords", body.clone()).await;
        self.requests += 1;
        self.batch.put_back(body);
        match replied {
            Ok(reply) => {
                self.latency.record(self.env.clock.monotonic() - begun);
                self.note(first, &reply);
            }
            Err(error) if error.is_throttled() => {
                Counters::add(&self.counters.throttled, self.batch.count() as u64);
                self.env.clock.sleep(BROKEN_PAUSE).await;
            }
            Err(error) => {
                tracing::debug!(%error, "put failed");
                Counters::add(&self.counters.errors, 1);
                self.env.clock.sleep(BROKEN_PAUSE).await;
            }
        }
    }

    fn note(&mut self, first: u64, reply: &Bytes) {
        let Ok(failed) = failures(reply) else {
            Counters::add(&self.counters.errors, 1);
            return;
        };
        let count = self.batch.count() as u64;
        for index in 0..count {
            if failed.as_ref().is_none_or(|failed| failed.get(index as usize) == Some(&false)) {
                self.ledger.acknowledged.insert(first + index);
            }
        }
        let failed = failed.map_or(0, |failed| failed.iter().filter(|is_failed| **is_failed).count() as u64);
        if let Some(pin) = self.pin.as_ref().filter(|_| failed < count) {
            pin.acknowledged(self.env.clock.monotonic());
        }
        Counters::add(&self.counters.records, count - failed.min(count));
        Counters::add(&self.counters.throttled, failed);
    }
}

/// Which records of a reply failed; `None` if all are stored, as nearly always.
fn failures(reply: &[u8]) -> Result<Option<Vec<bool>>, BenchError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Head {
        failed_record_count: u64,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Whole<'a> {
        #[serde(borrow)]
        records: Vec<Entry<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Entry<'a> {
        sequence_number: Option<&'a str>,
    }
    let head: Head = read("PutRecords", reply)?;
    if head.failed_record_count == 0 {
        return Ok(None);
    }
    let whole: Whole<'_> = read("PutRecords", reply)?;
    Ok(Some(whole.records.iter().map(|entry| entry.sequence_number.is_none()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_records_are_told_from_stored_ones() {
        let stored = br#"{"Records":[{"SequenceNumber":"1","ShardId":"s"}],"FailedRecordCount":0}"#;
        assert_eq!(failures(stored).unwrap(), None);
        let mixed = br#"{"FailedRecordCount":1,"Records":[{"SequenceNumber":"1","ShardId":"s"},{"ErrorCode":"E","ErrorMessage":"\""}]}"#;
        assert_eq!(failures(mixed).unwrap(), Some(vec![false, true]));
        assert!(failures(b"{}").is_err());
    }
}
