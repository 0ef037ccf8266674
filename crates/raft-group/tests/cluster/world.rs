//! Three and more nodes under turmoil, each with its journal, transport and groups, and a script that acts on them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use env::Env;
use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};
use journal::Journal;
use raft_group::{Leadership, Options, ProposeError, RaftGroup, RaftNode};
use telemetry::Telemetry;
use tokio::sync::{mpsc, oneshot};
use transport::{Identity, Transport};
use types::{GroupId, NodeId, RecordNumber, ReplicaId};

use crate::machine::{Numbers, options, record};

pub(crate) const GROUP: GroupId = GroupId(5);
const PORT: u16 = 9_000;

type Task = Box<dyn FnOnce(Life) -> Pin<Box<dyn Future<Output = ()>>>>;

/// What one start of a node's process has.
#[derive(Clone)]
pub(crate) struct Life {
    /// Held, since the groups' logs end with it.
    _journal: Journal,
    pub(crate) node: RaftNode,
    pub(crate) group: RaftGroup,
}

struct Host {
    disk: FaultDisk,
    end: Rc<RefCell<ProcessEnd>>,
    tasks: Rc<RefCell<Option<mpsc::UnboundedSender<Task>>>>,
}

/// All nodes, as the script sees them.
#[derive(Clone)]
pub(crate) struct World {
    hosts: Rc<BTreeMap<u64, Host>>,
    /// Which nodes are to be crashed or started by whoever steps the simulation.
    orders: Rc<RefCell<Vec<(u64, Order)>>>,
    pub(crate) trace: Rc<RefCell<String>>,
}

#[derive(Clone, Copy)]
enum Order {
    Crash,
    Start,
}

pub(crate) fn name(node: u64) -> String {
    format!("n{node}")
}

pub(crate) fn replica(node: u64) -> ReplicaId {
    ReplicaId::new(NodeId(node), 0)
}

pub(crate) fn replicas(nodes: impl IntoIterator<Item = u64>) -> BTreeSet<ReplicaId> {
    nodes.into_iter().map(replica).collect()
}

/// Runs `script` beside `nodes` nodes, of which the first `voters` make the group at their first start.
pub(crate) fn run<F>(seed: u64, nodes: u64, voters: u64, script: impl FnOnce(World) -> F + 'static) -> String
where
    F: Future<Output = ()> + 'static,
{
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tcp_capacity(65536)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(5))
        .simulation_duration(Duration::from_secs(600))
        .build();
    let clock = SimClock::new(1_700_000_000_000);
    let hosts = (1..=nodes).map(|node| (node, host(&mut sim, seed, node, nodes, voters, clock.clone()))).collect();
    let world = World { hosts: Rc::new(hosts), orders: Rc::default(), trace: Rc::default() };
    let script_world = world.clone();
    sim.client("script", async move {
        script(script_world).await;
        Ok(())
    });
    while !sim.step().unwrap() {
        let orders = std::mem::take(&mut *world.orders.borrow_mut());
        for (node, order) in orders {
            let host = &world.hosts[&node];
            match order {
                Order::Crash => {
                    *host.tasks.borrow_mut() = None;
                    sim::crash(&mut sim, &name(node), &host.end.borrow());
                    host.disk.power_loss();
                }
                Order::Start => sim.bounce(name(node)),
            }
        }
    }
    for (node, host) in world.hosts.iter() {
        assert_eq!(host.end.borrow().reason(), None, "node {node} has aborted");
    }
    let counts: Vec<_> = world.hosts.values().map(|host| format!("{:?}", host.disk.counts())).collect();
    format!("{}{counts:?}", world.trace.borrow())
}

fn host(sim: &mut turmoil::Sim<'_>, seed: u64, node: u64, nodes: u64, voters: u64, clock: SimClock) -> Host {
    let disk = FaultDisk::new(seed * 100 + node, FaultPlan::default());
    let host = Host { disk: disk.clone(), end: Rc::default(), tasks: Rc::default() };
    let (end, tasks) = (Rc::clone(&host.end), Rc::clone(&host.tasks));
    let starts = std::cell::Cell::new(0);
    sim.host(name(node), move || {
        starts.set(starts.get() + 1);
        end.replace(ProcessEnd::default());
        let start_seed = seed * 10_000 + node * 100 + starts.get();
        let env = sim::env(start_seed, clock.clone(), disk.mount(), end.borrow().clone());
        let tasks = Rc::clone(&tasks);
        async move {
            let life = start(env, node, nodes, voters).await;
            let (sender, mut receiver) = mpsc::unbounded_channel::<Task>();
            *tasks.borrow_mut() = Some(sender);
            while let Some(task) = receiver.recv().await {
                tokio::task::spawn_local(task(life.clone()));
            }
            Ok(())
        }
    });
    host
}

async fn start(env: Env, node: u64, nodes: u64, voters: u64) -> Life {
    let telemetry = Telemetry::new();
    let (journal, report) = Journal::open(env.clone(), options(), telemetry.clone()).await.unwrap();
    let identity = Identity::new("test", NodeId(node)).unwrap();
    let transport = Transport::new(env.clone(), identity, transport::Options::default(), &telemetry, None);
    transport.listen(([0, 0, 0, 0], PORT).into()).await.unwrap();
    let raft = RaftNode::start(env.clone(), NodeId(node), transport, Options::default());
    raft.set_peers(&(1..=nodes).map(|peer| (NodeId(peer), format!("{}:{PORT}", name(peer)))).collect());
    let log = journal.group(GROUP).unwrap_or_else(|error| panic!("{error}: {report:?}"));
    let is_new = log.last().is_none();
    let group = raft.open(GROUP, log, replica(node), Numbers::new(false)).await.unwrap();
    if is_new && node == 1 {
        group.initialize(&replicas(1..=voters).into_iter().collect::<Vec<_>>()).await.unwrap();
    }
    Life { _journal: journal, node: raft, group }
}

impl World {
    /// Runs something on a node, in its process; waits for the process to be up, panics if it crashes meanwhile.
    pub(crate) async fn on<T, F>(&self, node: u64, task: impl FnOnce(Life) -> F + 'static) -> T
    where
        T: 'static,
        F: Future<Output = T> + 'static,
    {
        self.try_on(node, task).await.unwrap_or_else(|| panic!("node {node} crashed"))
    }

    /// The same; `None` if the node crashes meanwhile.
    pub(crate) async fn try_on<T, F>(&self, node: u64, task: impl FnOnce(Life) -> F + 'static) -> Option<T>
    where
        T: 'static,
        F: Future<Output = T> + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let tasks = loop {
            if let Some(tasks) = self.hosts[&node].tasks.borrow().clone() {
                break tasks;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let boxed: Task = Box::new(|life| Box::pin(async move { drop(sender.send(task(life).await)) }));
        tasks.send(boxed).ok()?;
        receiver.await.ok()
    }

    /// Ends a node's process and takes its unsynced data.
    pub(crate) async fn crash(&self, node: u64) {
        self.orders.borrow_mut().push((node, Order::Crash));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    pub(crate) async fn restart(&self, node: u64) {
        self.orders.borrow_mut().push((node, Order::Start));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    /// The node among `nodes` that says it may serve, once one does; two at once are a failure.
    pub(crate) async fn leader(&self, nodes: &[u64]) -> u64 {
        let since = turmoil::sim_elapsed().unwrap();
        loop {
            let mut leaders = Vec::new();
            for node in nodes {
                if self.try_on(*node, |life| async move { life.group.leadership() }).await == Some(Leadership::Leads) {
                    leaders.push(*node);
                }
            }
            // Asked one after the other, so that one that has just taken over may appear beside its predecessor.
            if let [leader] = leaders[..] {
                return leader;
            }
            assert!(turmoil::sim_elapsed().unwrap() - since < Duration::from_secs(20), "no leader among {nodes:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Proposes record `n` on a node.
    pub(crate) async fn put_on(&self, node: u64, n: u64) -> Result<u64, ProposeError> {
        let put = self.try_on(node, move |life| async move {
            let proposed = tokio::time::timeout(Duration::from_secs(5), life.group.propose(record(n))).await;
            proposed.unwrap_or_else(|_| Err(ProposeError::Unknown("late".into())))
        });
        let answer: Bytes = put.await.unwrap_or_else(|| Err(ProposeError::Unknown("crashed".into())))?;
        Ok(answer.as_ref().get_u64_le())
    }

    /// The records that a node has applied.
    pub(crate) async fn records(&self, node: u64) -> Vec<u64> {
        self.on(node, |life| async move { applied(&life.group).await }).await
    }

    /// Waits until something holds.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) {
        let since = turmoil::sim_elapsed().unwrap();
        while !holds().await {
            assert!(turmoil::sim_elapsed().unwrap() - since < Duration::from_secs(30), "{what} has not come true");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn note(&self, line: String) {
        self.trace.borrow_mut().push_str(&line);
        self.trace.borrow_mut().push('\n');
    }
}

/// The contents of all records that a replica has applied and retains, in order, without a hole.
async fn applied(group: &RaftGroup) -> Vec<u64> {
    let mut contents = Vec::new();
    let mut next = None;
    loop {
        let from = RecordNumber(next.unwrap_or(0));
        let entries = group.log().read_records(from, 5_000).await.unwrap();
        let Some(last) = entries.last() else { return contents };
        for entry in &entries {
            assert!(next.is_none_or(|next| next == entry.first_record.0), "{entry:?} does not follow {next:?}");
            next = Some(entry.end_record());
            let mut payload = &entry.frame.payload[1..];
            let n = payload.get_u64_le();
            assert_eq!(entry.frame.payload, record(n));
            contents.push(n);
        }
        next = Some(last.end_record());
    }
}
