//! What the clients of a run share: its time, its trace, its history, and what streams there are.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use oracle::{Event, History, PayloadId, ShardRef};
use types::{SequenceNumber, StreamName};

use crate::client::Failure;
use crate::finish::Request;
use crate::plan::{Plan, Scenario};
use crate::trace::Trace;

/// Sequence numbers remembered per shard, for iterators that begin at one.
const NUMBERS_REMEMBERED: usize = 64;

/// The phases of a run, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Everything goes on, and faults happen.
    Faults,
    /// No more faults; the workload ends.
    Healed,
}

/// A shard that clients may use.
#[derive(Clone, Debug)]
pub(crate) struct OpenShard {
    pub(crate) shard: ShardRef,
    /// A hash key, in decimal, that lands in it.
    pub(crate) hash_key: String,
}

/// The shared part. Clients run in one host of the simulation, in one thread.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) trace: Trace,
    pub(crate) history: RefCell<History>,
    phase: Cell<Phase>,
    /// The time as the driver knows it, for when no host runs.
    pub(crate) elapsed: Cell<Duration>,
    /// Hours that passed in leaps, in milliseconds.
    pub(crate) leapt_ms: Cell<u64>,
    /// How often the server's process has ended.
    pub(crate) crashes: Cell<u64>,
    /// Streams in use, with their shards.
    streams: RefCell<BTreeMap<StreamName, Vec<OpenShard>>>,
    numbers: RefCell<BTreeMap<ShardRef, Vec<SequenceNumber>>>,
    payloads: Cell<u64>,
    violations: RefCell<Vec<String>>,
    /// Whether the disk has rotted, so that refusal is allowed.
    pub(crate) rotten: Cell<bool>,
    /// Whether the node is left alone, since its rotten disk lets it not start.
    pub(crate) dead: Cell<bool>,
    /// Shards that were refused for damage.
    pub(crate) refused: RefCell<Vec<ShardRef>>,
    request: Cell<Option<Request>>,
}

impl World {
    pub(crate) fn new(plan: Plan, trace: Trace) -> Rc<Self> {
        Rc::new(Self {
            history: RefCell::new(History::new(plan.rules)),
            plan,
            trace,
            phase: Cell::new(Phase::Faults),
            elapsed: Cell::new(Duration::ZERO),
            leapt_ms: Cell::new(0),
            crashes: Cell::new(0),
            streams: RefCell::default(),
            numbers: RefCell::default(),
            payloads: Cell::new(0),
            violations: RefCell::default(),
            rotten: Cell::new(false),
            dead: Cell::new(false),
            refused: RefCell::default(),
            request: Cell::new(None),
        })
    }

    /// Milliseconds since the run's beginning, without leaps.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        turmoil::sim_elapsed().unwrap_or(self.elapsed.get()).as_millis() as u64
    }

    /// The true time, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        crate::plan::BASE_UNIX_MS + self.elapsed_ms() + self.leapt_ms.get()
    }

    pub(crate) fn note(&self, what: impl FnOnce(&mut String)) {
        self.trace.note(self.elapsed_ms(), what);
    }

    pub(crate) fn record(&self, event: Event) {
        self.history.borrow_mut().record(event);
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.note(|line| line.push_str(&format!("== {phase:?}")));
    }

    pub(crate) fn new_payload(&self) -> PayloadId {
        self.payloads.set(self.payloads.get() + 1);
        PayloadId(self.payloads.get())
    }

    /// Something that should not be and that the oracle does not judge.
    pub(crate) fn violation(&self, what: String) {
        self.note(|line| line.push_str(&format!("VIOLATION {what}")));
        self.violations.borrow_mut().push(what);
    }

    /// A stream that is there must not be said to be missing, whatever happens to the nodes.
    pub(crate) fn judge_missing(&self, stream: &StreamName, failure: &Failure) {
        let is_there = self.streams.borrow().contains_key(stream) && self.plan.scenario != Scenario::Rot;
        if is_there && failure.is("ResourceNotFoundException") {
            self.violation(format!("invariant 1: {stream} is there, and the service says {failure:?}"));
        }
    }

    /// Asks something of the driver, which does it before the next step.
    pub(crate) fn ask(&self, request: Request) {
        self.request.set(Some(request));
    }

    pub(crate) fn take_request(&self) -> Option<Request> {
        self.request.take()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.borrow().clone()
    }

    pub(crate) fn add_stream(&self, stream: StreamName, shards: Vec<OpenShard>) {
        self.streams.borrow_mut().insert(stream, shards);
    }

    pub(crate) fn remove_stream(&self, stream: &StreamName) {
        self.streams.borrow_mut().remove(stream);
    }

    pub(crate) fn shards(&self) -> Vec<OpenShard> {
        self.streams.borrow().values().flatten().cloned().collect()
    }

    pub(crate) fn shards_of(&self, stream: &StreamName) -> Vec<OpenShard> {
        self.streams.borrow().get(stream).cloned().unwrap_or_default()
    }

    pub(crate) fn remember(&self, shard: &ShardRef, number: SequenceNumber) {
        let mut numbers = self.numbers.borrow_mut();
        let known = numbers.entry(shard.clone()).or_default();
        if known.len() == NUMBERS_REMEMBERED {
            known.remove(0);
        }
        known.push(number);
    }

    pub(crate) fn remembered(&self, shard: &ShardRef) -> Vec<SequenceNumber> {
        self.numbers.borrow().get(shard).cloned().unwrap_or_default()
    }
}

/// A short wait of a client.
pub(crate) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
