//! `thalweg bench get`

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use env::Env;
use tokio::task::JoinSet;

use super::args::BenchArgs;
use super::check::{self, Findings};
use super::client::Client;
use super::control::Stream;
use super::counters::Counters;
use super::error::BenchError;
use super::latency::Latency;
use super::payload::Payload;
use super::progress;
use super::put::{self, Until};
use super::report::{Measured, Report};
use super::shard_reader::ShardReader;
use super::syncs::Syncs;
use crate::http::Endpoint;

/// Records that a new stream is filled with.
const RECORDS_DEFAULT: u64 = 100_000;
/// Between two looks at a shard that is empty.
const EMPTY_PAUSE: Duration = Duration::from_millis(20);

/// Fills a stream if there is none, then reads it from its beginning again and again.
pub(crate) async fn run(env: &Env, args: &BenchArgs) -> Result<Report, BenchError> {
    let endpoint = Endpoint::find(&args.endpoint).await?;
    let mut control = Client::new(env, &endpoint);
    let stream = Stream::open(env, &mut control, args).await?;
    let findings = if stream.is_new { fill(env, &endpoint, &stream, args).await? } else { None };
    let mut syncs = Syncs::open(env, args.admin_endpoint.as_deref()).await?;
    let mut measured = measure(env, &endpoint, &stream, args).await?;
    measured.syncs = syncs.since_open().await?;
    stream.close(&mut control, args.keep).await?;
    Ok(Report::new("get", args, &stream, measured, findings))
}

async fn fill(
    env: &Env,
    endpoint: &Endpoint,
    stream: &Stream,
    args: &BenchArgs,
) -> Result<Option<Findings>, BenchError> {
    let payload = Payload::new(env.random.u64(), args.record_bytes as usize);
    let until = Until { time: None, records: Some(args.records.unwrap_or(RECORDS_DEFAULT)) };
    let load = put::load(env, endpoint, &stream.name, args, &payload, until).await?;
    if args.skip_check {
        return Ok(None);
    }
    check::run(env, endpoint, (&stream.name, &stream.shards), &payload, load.ledgers).await.map(Some)
}

async fn measure(env: &Env, endpoint: &Endpoint, stream: &Stream, args: &BenchArgs) -> Result<Measured, BenchError> {
    let counters = Arc::new(Counters::default());
    progress::show(env, "get", Some(args.seconds), &counters);
    let name: Arc<str> = Arc::from(stream.name.as_str());
    let begun = env.clock.monotonic();
    let deadline = begun + Duration::from_secs(args.seconds);
    let mut readers = JoinSet::new();
    for shard in stream.shards.iter().cycle().take(args.in_flight as usize) {
        let reader = ShardReader::new(env, Client::new(env, endpoint), (&name, shard), args.batch, &counters);
        readers.spawn(read_until(env.clone(), reader, deadline));
    }
    let results = readers.join_all().await;
    counters.is_done.store(true, Ordering::Relaxed);
    let mut measured = Measured::new(env.clock.monotonic() - begun, &counters);
    for result in results {
        let (latency, requests) = result?;
        measured.latency.add(&latency);
        measured.requests += requests;
    }
    Ok(measured)
}

async fn read_until(env: Env, mut reader: ShardReader, deadline: Duration) -> Result<(Latency, u64), BenchError> {
    let (mut latency, mut requests) = (Latency::new(), 0);
    reader.rewind().await?;
    let mut since_rewind = 0;
    while env.clock.monotonic() < deadline {
        match reader.next().await? {
            Some(read) if !read.is_at_tip => {
                latency.record(read.took);
                requests += 1;
                since_rewind += read.records;
            }
            _ => {
                if since_rewind == 0 {
                    env.clock.sleep(EMPTY_PAUSE).await;
                }
                since_rewind = 0;
                reader.rewind().await?;
            }
        }
    }
    Ok((latency, requests))
}
