//! `thalweg dev --nodes 3 --chaos`: nodes are killed at random and started again, while clients of its own write and read a stream
//! through the public API and note what they see of it.

mod books;
mod gaps;
mod reader;
mod sdk;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use env::Env;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::directory;
use super::keeper::Keepers;
use super::process::Recipe;
use crate::bench::{self, BenchError, Client, Findings, Latency, Payload, Stream};
use crate::http::Endpoint;
use crate::serve::{self, Signals};
use books::Books;
use reader::Reader;
use sdk::Sdk;
use writer::Writer;

/// Enough that each node leads more than one.
const SHARDS_PER_NODE: u32 = 2;
const RECORD_BYTES: usize = 200;
/// How long nodes may take to serve again, before the last check.
const RETURN_MAX: Duration = Duration::from_secs(60);
/// For what is nice to know of a node that is about to be killed.
const ASK_MAX: Duration = Duration::from_millis(500);

/// What all of a run share. Locked for a moment each time.
type Shared = Arc<Mutex<Books>>;

fn locked(books: &Shared) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until a signal; then everything that was acknowledged is read once more.
///
/// # Errors
/// A message when something is missing or wrong, or when the check was not possible.
pub(super) async fn run(env: &Env, keepers: &Keepers, every: Duration, signals: &mut Signals) -> Result<(), String> {
    let mut load = Load::start(env, keepers).await.map_err(|error| format!("the load cannot start: {error}"))?;
    let (stream, shards) = (&load.stream.name, load.stream.shards.len());
    serve::print(&format!("chaos: a node is killed every {} s, {stream} has {shards} shards", every.as_secs()));
    let began = env.clock.monotonic();
    let mut kills = 0;
    let mut over = is_over(env, every, signals).await;
    while !over {
        tokio::select! {
            biased;
            _ = signals.next() => break,
            served = keepers.all_serve() => served.map_err(|refused| format!("{} does not serve", directory::name(refused.number)))?,
        }
        let index = (env.random.u64() % keepers.recipes().len() as u64) as usize;
        let victim = Victim::choose(env, keepers, index).await;
        kills += 1;
        locked(&load.books).begin_kill();
        keepers.crash(index, random_below(env, every / 2));
        over = is_over(env, every, signals).await;
        let noticed = locked(&load.books).end_kill(env.clock.monotonic());
        serve::print(&format!("chaos: kill {kills}: {victim}: {noticed}"));
    }
    serve::print(&format!(
        "chaos: over after {} s and {kills} kills, checking",
        (env.clock.monotonic() - began).as_secs()
    ));
    load.finish(env, keepers).await
}

/// Waits; whether a signal has come meanwhile.
async fn is_over(env: &Env, pause: Duration, signals: &mut Signals) -> bool {
    tokio::select! {
        biased;
        _ = signals.next() => true,
        () = env.clock.sleep(pause) => false,
    }
}

fn random_below(env: &Env, limit: Duration) -> Duration {
    limit.mul_f64((env.random.u64() >> 11) as f64 / (1u64 << 53) as f64)
}

/// The node that is killed, and what it was.
struct Victim {
    number: u8,
    /// How many shards it led, if it says.
    leaders: Option<usize>,
}

impl Victim {
    async fn choose(env: &Env, keepers: &Keepers, index: usize) -> Self {
        let recipe = keepers.recipes().nth(index);
        let number = recipe.map_or(0, |recipe| recipe.number);
        let leaders = match recipe {
            Some(recipe) => tokio::select! {
                leaders = leaders(env, recipe) => leaders,
                () = env.clock.sleep(ASK_MAX) => None,
            },
            None => None,
        };
        Self { number, leaders }
    }
}

impl std::fmt::Display for Victim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = directory::name(self.number);
        match self.leaders {
            Some(leaders) => write!(f, "{name}, leader of {leaders} shards"),
            None => f.write_str(&name),
        }
    }
}

/// How many shards a node leads, by its admin address.
async fn leaders(env: &Env, recipe: &Recipe) -> Option<usize> {
    #[derive(Deserialize)]
    struct Status {
        nodes: Vec<Node>,
    }
    #[derive(Deserialize)]
    struct Node {
        id: u64,
        leaders: usize,
    }
    let endpoint = Endpoint::find(&format!("http://{}", recipe.addresses.admin)).await.ok()?;
    let page: Bytes = Client::new(env, &endpoint).page("/cluster").await.ok()?;
    let status: Status = serde_json::from_slice(&page).ok()?;
    status.nodes.iter().find(|node| node.id == u64::from(recipe.number)).map(|node| node.leaders)
}

/// Clients that write and read, one of each per shard.
struct Load {
    endpoints: Vec<Endpoint>,
    stream: Stream,
    payload: Payload,
    books: Shared,
    clients: JoinSet<()>,
    /// Becomes true when they are to end.
    over: watch::Sender<bool>,
}

impl Load {
    async fn start(env: &Env, keepers: &Keepers) -> Result<Self, BenchError> {
        let mut endpoints = Vec::new();
        for recipe in keepers.recipes() {
            endpoints.push(Endpoint::find(&format!("http://{}", recipe.addresses.api)).await?);
        }
        let mut control = Client::new(env, &endpoints[0]);
        let name = format!("chaos-{:016x}", env.random.u64());
        let stream = Stream::make(env, &mut control, name, SHARDS_PER_NODE * endpoints.len() as u32).await?;
        let payload = Payload::new(env.random.u64(), RECORD_BYTES);
        let shards = stream.shards.len();
        let books = Arc::new(Mutex::new(Books::new(payload.clone(), shards, env.clock.monotonic())));
        let (over, is_over) = watch::channel(false);
        let mut clients = JoinSet::new();
        for (index, shard) in stream.shards.iter().enumerate() {
            // Each begins with another node.
            let sdk = |offset| Sdk::new(env, &endpoints, index + offset);
            let place = (stream.name.clone(), index, shards);
            clients.spawn(Writer::new(env, sdk(0), place, &payload, &books).run(is_over.clone()));
            let place = (stream.name.clone(), shard.clone());
            clients.spawn(Reader::new(env, sdk(1), place, &books).run(is_over.clone()));
        }
        Ok(Self { endpoints, stream, payload, books, clients, over })
    }

    /// Ends the clients, reads everything again and says what was found.
    async fn finish(&mut self, env: &Env, keepers: &Keepers) -> Result<(), String> {
        let (stream, endpoint) = (self.stream.name.as_str(), &self.endpoints[0]);
        tokio::select! {
            served = keepers.all_serve() => served.map_err(|refused| format!("{} does not serve", directory::name(refused.number)))?,
            () = env.clock.sleep(RETURN_MAX) => return Err(format!("not all nodes serve again, {stream} is not checked")),
        }
        self.over.send_replace(true);
        while self.clients.join_next().await.is_some() {}
        let (ledgers, seen) = {
            let books = locked(&self.books);
            serve::print(&format!("chaos: {books}"));
            (books.audit.ledgers.clone(), books.wrong())
        };
        let shards = &self.stream.shards;
        let checked = bench::check(env, endpoint, (stream, shards), &self.payload, ledgers).await;
        let findings = checked.map_err(|error| format!("{stream} cannot be checked: {error}"))?;
        serve::print(&format!("chaos: {}", verdict(&findings)));
        match seen {
            None if findings.is_sound() => {}
            None => return Err(format!("the stream {stream} is not as it was acknowledged")),
            Some(wrong) => return Err(format!("readers of the stream {stream} saw what must not be: {wrong}")),
        }
        let closed = self.stream.close(&mut Client::new(env, endpoint), false).await;
        closed.map_err(|error| format!("{stream} is sound, but cannot be deleted: {error}"))
    }
}

fn verdict(findings: &Findings) -> String {
    let Findings { acknowledged, read, lost, duplicated, corrupted, phantoms } = findings;
    format!(
        "read everything again: {acknowledged} acknowledged, {read} read, {lost} lost, {corrupted} corrupted, \
         {duplicated} repeated without a retry, {phantoms} never sent"
    )
}

/// The middle and the end of what is measured.
fn quantiles(latency: &Latency) -> String {
    let [p50, p99, longest] = [0.5, 0.99, 1.0].map(|share| latency.quantile_ms(share).round());
    format!("p50 {p50} ms, p99 {p99} ms, longest {longest} ms")
}
