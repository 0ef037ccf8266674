//! One run: builds the simulated world of a seed, lets it go to its end, and judges it.

use std::rc::Rc;
use std::time::Duration;

use env::sim::{FaultDisk, SimClock};
use oracle::{Event, History};
use types::StreamName;

use crate::driver::Driver;
use crate::finish::Finish;
use crate::logs::Logs;
use crate::node::Node;
use crate::plan::{BASE_UNIX_MS, Plan};
use crate::states::{self, States};
use crate::trace::Trace;
use crate::workload::admin::Admin;
use crate::workload::audit;
use crate::workload::producer::Producer;
use crate::workload::reader::Reader;
use crate::world::{Phase, World, pause};

/// The host of all clients.
pub(crate) const CLIENTS: &str = "clients";
/// The stream that is there all the time.
const MAIN_STREAM: &str = "main";
/// A run that takes longer, in virtual time, hangs.
const VIRTUAL_TIME_MAX: Duration = Duration::from_secs(300);

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What should not be, in words; empty if all is well.
    pub violations: Vec<String>,
    /// The hash of everything that happened: the same for each run of a seed.
    pub hash: u64,
    /// How many things happened.
    pub events: u64,
    /// Records acknowledged.
    pub acknowledged: u64,
    /// Crashes of the server's process.
    pub crashes: u64,
    /// Rare states that were reached.
    pub states: States,
}

impl Outcome {
    /// Of a run that has come to no end.
    pub(crate) fn of_failure(seed: u64, violations: Vec<String>) -> Self {
        Self { seed, violations, hash: 0, events: 0, acknowledged: 0, crashes: 0, states: States::default() }
    }
}

/// Runs the simulation of `seed`; with `print`, what happens goes to standard output.
///
/// Not at the same time as another run in the same thread.
pub fn run(seed: u64, print: bool) -> Outcome {
    let trace = Trace::new(print);
    let logs = tracing::Dispatch::new(Logs::new(trace.clone()));
    tracing::dispatcher::with_default(&logs, || simulate(Plan::of(seed), trace))
}

fn simulate(plan: Plan, trace: Trace) -> Outcome {
    trace.note(0, |line| line.push_str(&format!("{plan:?}")));
    let world = World::new(plan, trace);
    let mut sim = build(&world.plan);
    let nodes: Vec<Rc<Node>> = (1..=world.plan.cluster.nodes).map(|id| make_node(id, &world.plan)).collect();
    for node in &nodes {
        let (host_node, host_world) = (Rc::clone(node), Rc::clone(&world));
        sim.host(node.host.as_str(), move || Rc::clone(&host_node).run(Rc::clone(&host_world)));
    }
    sim.client(CLIENTS, clients(Rc::clone(&world)));
    let mut driver = Driver::new(Rc::clone(&world), nodes.clone());
    loop {
        world.elapsed.set(sim.elapsed());
        match sim.step() {
            Ok(true) => break,
            Ok(false) => driver.act(&mut sim),
            Err(error) => {
                world.violation(format!("the run does not end: {error}"));
                break;
            }
        }
    }
    for node in &nodes {
        world.note(|line| line.push_str(&format!("{}: {:?}", node.host, node.disk.counts())));
    }
    judge(&world)
}

fn make_node(id: u64, plan: &Plan) -> Rc<Node> {
    let disk = FaultDisk::new(plan.seed.wrapping_mul(10).wrapping_add(id), plan.disk.clone());
    Node::new(id, disk, SimClock::new(BASE_UNIX_MS))
}

fn build(plan: &Plan) -> turmoil::Sim<'static> {
    let mut builder = turmoil::Builder::new();
    builder
        .rng_seed(plan.seed)
        .enable_random_order()
        .tick_duration(plan.tick)
        .min_message_latency(Duration::ZERO)
        .max_message_latency(plan.message_latency_max)
        .tcp_capacity(65_536)
        .simulation_duration(VIRTUAL_TIME_MAX);
    builder.build()
}

/// All clients, in one host.
async fn clients(world: Rc<World>) -> turmoil::Result {
    let main = StreamName::parse(MAIN_STREAM)?;
    let mut tasks = vec![tokio::task::spawn_local(Admin::new(&world, main.clone()).run())];
    tasks.push(tokio::task::spawn_local(audit::run(Rc::clone(&world), main)));
    for id in 0..world.plan.workload.producers {
        tasks.push(tokio::task::spawn_local(Producer::new(id, &world).run()));
    }
    for id in 0..world.plan.workload.readers {
        tasks.push(tokio::task::spawn_local(Reader::new(id, &world).run()));
    }
    while world.phase() == Phase::Faults {
        pause(20).await;
    }
    let mut finish = Finish::new(&world);
    finish.check_live().await;
    for task in tasks {
        task.await?;
    }
    finish.look_at_everything().await;
    Ok(())
}

fn judge(world: &World) -> Outcome {
    let history = without_refused(world);
    let mut violations = world.violations();
    violations.extend(oracle::check(&history).iter().map(ToString::to_string));
    let acknowledged = history.events.iter().filter(|event| matches!(event, Event::PutAcked { .. })).count() as u64;
    if stored_twice(&history) {
        world.trace.reached(states::RETRIED_TWICE_STORED);
    }
    let (hash, events) = world.trace.summary();
    Outcome {
        seed: world.plan.seed,
        violations,
        hash,
        events,
        acknowledged,
        crashes: world.crashes.get(),
        states: world.trace.states(),
    }
}

/// What a shard that was refused for damage owed is not asked for.
fn without_refused(world: &World) -> History {
    let mut history = world.history.borrow().clone();
    let refused = world.refused.borrow();
    history.events.retain(|event| !matches!(event, Event::PutAcked { shard, .. } if refused.contains(shard)));
    history
}

/// Whether a complete read found a payload in two copies.
fn stored_twice(history: &History) -> bool {
    history.events.iter().any(|event| {
        let Event::FinalRead { records, .. } = event else { return false };
        let mut payloads: Vec<_> = records.iter().map(|record| record.payload).collect();
        payloads.sort();
        payloads.windows(2).any(|pair| pair[0] == pair[1])
    })
}
