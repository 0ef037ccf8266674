//! Nodes that call each other, and what they saw.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use env::Env;
use env::sim::{FaultDisk, FaultPlan, ProcessEnd, SimClock};
use parking_lot::Mutex;
use transport::{Lane, Options};
use types::NodeId;

use crate::support::{ECHO, Node, pattern, request};

const PORT: u16 = 4568;
/// What a caller waits for an answer.
pub(crate) const DEADLINE: Duration = Duration::from_millis(700);
/// What a call may take beyond its deadline: timers are exact to the simulation's step.
pub(crate) const SLACK: Duration = Duration::from_millis(5);

/// One call, as its caller saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) caller: u64,
    pub(crate) called: u64,
    pub(crate) at: Duration,
    pub(crate) took: Duration,
    pub(crate) outcome: String,
}

#[derive(Default)]
struct Log {
    trace: String,
    seen: Vec<Seen>,
}

pub(crate) struct World {
    pub(crate) sim: turmoil::Sim<'static>,
    ends: Vec<Rc<RefCell<ProcessEnd>>>,
    log: Arc<Mutex<Log>>,
}

pub(crate) fn names(node: u64) -> String {
    format!("node-{node}")
}

impl World {
    /// `nodes` nodes that all call each other over both lanes, without pause but that of the answers.
    pub(crate) fn new(seed: u64, nodes: u64) -> Self {
        let mut builder = turmoil::Builder::new();
        builder.rng_seed(seed).enable_random_order().tcp_capacity(65_536).simulation_duration(Duration::from_secs(600));
        let mut sim = builder.build();
        let log = Arc::new(Mutex::new(Log::default()));
        let clock = SimClock::new(1_700_000_000_000);
        let mut ends = Vec::new();
        for number in 1..=nodes {
            let end = Rc::new(RefCell::new(ProcessEnd::default()));
            ends.push(Rc::clone(&end));
            let (log, clock) = (Arc::clone(&log), clock.clone());
            let starts = Cell::new(0);
            sim.host(names(number), move || {
                starts.set(starts.get() + 1);
                end.replace(ProcessEnd::default());
                let disk = FaultDisk::new(seed, FaultPlan::default()).mount();
                let own = seed * 1_000_000 + number * 1_000 + starts.get();
                let env = env::sim::env(own, clock.clone(), disk, end.borrow().clone());
                node(env, number, nodes, Arc::clone(&log))
            });
        }
        Self { sim, ends, log }
    }

    pub(crate) fn step_for(&mut self, time: Duration) {
        let until = self.sim.elapsed() + time;
        while self.sim.elapsed() < until {
            self.sim.step().unwrap();
        }
    }

    pub(crate) fn crash(&mut self, node: u64) {
        let end = self.ends[node as usize - 1].borrow().clone();
        env::sim::crash(&mut self.sim, &names(node), &end);
    }

    pub(crate) fn start(&mut self, node: u64) {
        self.sim.bounce(names(node));
    }

    /// Calls of `caller` to `called` that began since `since`.
    pub(crate) fn seen(&self, caller: u64, called: u64, since: Duration) -> Vec<Seen> {
        let log = self.log.lock();
        let wanted = |seen: &&Seen| seen.caller == caller && seen.called == called && seen.at >= since;
        log.seen.iter().filter(wanted).cloned().collect()
    }

    pub(crate) fn now(&self) -> Duration {
        self.sim.elapsed()
    }

    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.log.lock().trace)
    }
}

async fn node(env: Env, number: u64, nodes: u64, log: Arc<Mutex<Log>>) -> turmoil::Result {
    let node = Node::new(&env, number, Options::default());
    node.transport.listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT))).await?;
    for other in (1..=nodes).filter(|other| *other != number) {
        node.transport.set_peer(NodeId(other), &format!("{}:{PORT}", names(other)));
        for lane in [Lane::Control, Lane::Data] {
            let (caller_env, transport, log) = (env.clone(), node.transport.clone(), Arc::clone(&log));
            env.spawn.task(
                "caller",
                Box::pin(async move {
                    for count in 0.. {
                        let bytes = if lane == Lane::Data { count % 10 * 5_000 } else { 10 };
                        let request = request(ECHO, format!("{count}"), vec![pattern(bytes)]);
                        let at = caller_env.clock.monotonic();
                        let outcome = transport.call(NodeId(other), lane, request, DEADLINE).await;
                        let took = caller_env.clock.monotonic() - at;
                        let outcome = match outcome {
                            Ok(reply) => format!("answered, {} bytes", reply.body.len()),
                            Err(error) => error.to_string(),
                        };
                        {
                            let mut log = log.lock();
                            writeln!(log.trace, "{at:?} {number} -> {other} {lane:?}: {outcome} after {took:?}")
                                .unwrap();
                            log.seen.push(Seen { caller: number, called: other, at, took, outcome });
                        }
                        caller_env.clock.sleep(Duration::from_millis(20)).await;
                    }
                }),
            );
        }
    }
    std::future::pending().await
}
