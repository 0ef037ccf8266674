//! What the tests share: nodes and the services they answer.
#![allow(dead_code, reason = "each test program uses its part")]

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use env::{BoxFuture, Env};
use parking_lot::Mutex;
use telemetry::Telemetry;
use tokio::sync::watch;
use transport::{Answer, Call, Handler, Identity, Options, Request, Service, Transport};
use types::{GroupId, NodeId};

/// Answers with what it is sent.
pub(crate) const ECHO: Service = Service(1);
/// Notes the order of calls, and answers them in another one.
pub(crate) const NOTES: Service = Service(2);
/// Answers once the gate is open.
pub(crate) const GATE: Service = Service(3);
/// Nobody answers.
pub(crate) const NOBODY: Service = Service(9);

pub(crate) const LONG: Duration = Duration::from_secs(30);
pub(crate) const GROUP: GroupId = GroupId(5);

pub(crate) fn request(service: Service, head: impl Into<Bytes>, body: Vec<Bytes>) -> Request {
    Request { service, group: GROUP, head: head.into(), body }
}

/// One node under test.
pub(crate) struct Node {
    pub(crate) transport: Transport,
    pub(crate) telemetry: Telemetry,
    pub(crate) notes: Arc<Mutex<Vec<Bytes>>>,
    pub(crate) gate: watch::Sender<bool>,
    /// Calls that wait at the gate.
    pub(crate) waiting: Arc<Mutex<usize>>,
}

impl Node {
    pub(crate) fn new(env: &Env, number: u64, options: Options) -> Self {
        Self::of("test", env, number, options)
    }

    pub(crate) fn of(cluster: &str, env: &Env, number: u64, options: Options) -> Self {
        let telemetry = Telemetry::new();
        let identity = Identity::new(cluster, NodeId(number)).unwrap();
        let transport = Transport::new(env.clone(), identity, options, &telemetry, None);
        Self::with(env, transport, telemetry)
    }

    pub(crate) fn with(env: &Env, transport: Transport, telemetry: Telemetry) -> Self {
        let (notes, gate, waiting) = (Arc::default(), watch::Sender::new(false), Arc::default());
        transport.serve(ECHO, Arc::new(Echo));
        transport.serve(NOTES, Arc::new(Notes { env: env.clone(), notes: Arc::clone(&notes) }));
        transport.serve(GATE, Arc::new(Gate { open: gate.subscribe(), waiting: Arc::clone(&waiting) }));
        Self { transport, telemetry, notes, gate, waiting }
    }

    /// The value of a metric's line, such as `thalweg_transport_calls_total{outcome="answered"}`.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.telemetry.render();
        let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    pub(crate) fn outcome(&self, outcome: &str) -> f64 {
        self.metric(&format!("thalweg_transport_calls_total{{outcome=\"{outcome}\"}}"))
    }
}

struct Echo;

impl Handler for Echo {
    fn handle(&self, call: Call) -> BoxFuture<'static, Answer> {
        Box::pin(async move { Answer { head: call.head, body: vec![call.body] } })
    }
}

struct Notes {
    env: Env,
    notes: Arc<Mutex<Vec<Bytes>>>,
}

impl Handler for Notes {
    fn handle(&self, call: Call) -> BoxFuture<'static, Answer> {
        self.notes.lock().push(call.head.clone());
        let env = self.env.clone();
        let pause = Duration::from_micros(env.random.u64() % 3_000);
        Box::pin(async move {
            env.clock.sleep(pause).await;
            Answer { head: call.head, body: Vec::new() }
        })
    }
}

struct Gate {
    open: watch::Receiver<bool>,
    waiting: Arc<Mutex<usize>>,
}

struct Waits(Arc<Mutex<usize>>);

impl Drop for Waits {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
    }
}

impl Handler for Gate {
    fn handle(&self, call: Call) -> BoxFuture<'static, Answer> {
        *self.waiting.lock() += 1;
        let (mut open, waits) = (self.open.clone(), Waits(Arc::clone(&self.waiting)));
        Box::pin(async move {
            let _waits = waits;
            let _ = open.wait_for(|open| *open).await;
            Answer { head: call.head, body: vec![call.body] }
        })
    }
}

/// Bytes that differ from place to place.
pub(crate) fn pattern(length: usize) -> Bytes {
    let mut bytes = BytesMut::with_capacity(length + 8);
    let mut word = 1_u64;
    while bytes.len() < length {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.freeze()
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(env: &Env, what: &str, condition: impl Fn() -> bool) {
    let deadline = env.clock.monotonic() + LONG;
    while !condition() {
        assert!(env.clock.monotonic() < deadline, "not within {LONG:?}: {what}");
        env.clock.sleep(Duration::from_millis(2)).await;
    }
}
