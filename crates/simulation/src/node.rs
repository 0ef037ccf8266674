//! The server's process in the simulation: what of it the simulation can see, and its start.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use env::Env;
use env::sim::{FaultDisk, ProcessEnd, SimClock};
use server::{Config, LimitsMode, Server};

use crate::plan::{Plan, ServerPlan};
use crate::world::World;

/// Where its API listens.
pub(crate) const API_PORT: u16 = 4567;
/// Where its health and metrics are, and its operator's commands.
pub(crate) const ADMIN_PORT: u16 = 4568;
/// Where it listens for other nodes.
const PEER_PORT: u16 = 4569;
/// How often the server looks for records to trim. Less than [`crate::driver::LEAP_GAP_MS`], so that it does between two leaps.
const RETENTION_CHECK: Duration = Duration::from_millis(100);
/// For so long after a start nothing is trimmed.
const RETENTION_SETTLE: Duration = Duration::from_millis(50);

/// Replicas of each shard, where there are several nodes.
const REPLICATION: u8 = 3;

/// How far the process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// Recovering.
    Starting,
    /// Takes requests.
    Serving,
    /// Ended by itself, with the reason.
    Ended(String),
    /// Ended by the simulation.
    Stopped,
}

/// The host of a node, by its number from 1.
pub(crate) fn host(id: u64) -> String {
    format!("node-{id}")
}

/// One node: what outlives its process, and what is known of the process.
pub(crate) struct Node {
    /// From 1.
    pub(crate) id: u64,
    /// Its host.
    pub(crate) host: String,
    pub(crate) disk: FaultDisk,
    pub(crate) clock: SimClock,
    pub(crate) process: RefCell<Process>,
    pub(crate) end: RefCell<ProcessEnd>,
    starts: Cell<u64>,
}

impl Node {
    pub(crate) fn new(id: u64, disk: FaultDisk, clock: SimClock) -> Rc<Self> {
        let (process, end) = (RefCell::new(Process::Stopped), RefCell::new(ProcessEnd::default()));
        Rc::new(Self { id, host: host(id), disk, clock, process, end, starts: Cell::new(0) })
    }

    /// Runs one process until it ends.
    pub(crate) async fn run(self: Rc<Self>, world: Rc<World>) -> turmoil::Result {
        if world.elapsed_ms() < world.plan.cluster.joins_at_ms(self.id) {
            // Not there yet: the driver starts it.
            return Ok(());
        }
        self.starts.set(self.starts.get() + 1);
        let disk = self.disk.clone();
        // A process that aborts does nothing any more, so it loses its disk at that very moment.
        let end = ProcessEnd::new(move |_| disk.process_crash());
        self.end.replace(end.clone());
        self.process.replace(Process::Starting);
        world.note(|line| line.push_str(&format!("{} starts, number {}", self.host, self.starts.get())));
        let seed = world.plan.seed.wrapping_mul(10_000).wrapping_add(self.id * 1_000 + self.starts.get());
        let env = env::sim::env(seed, self.clock.clone(), self.disk.mount(), end);
        let ended = serve(env, &config(self.id, &world.plan), || {
            self.process.replace(Process::Serving);
            world.note(|line| line.push_str(&format!("{} serves", self.host)));
        })
        .await;
        world.note(|line| line.push_str(&format!("{} ended: {ended}", self.host)));
        self.process.replace(Process::Ended(ended));
        Ok(())
    }
}

/// Starts the server, says when it is `ready`, and returns why it did not start: it does not end by itself.
async fn serve(env: Env, config: &Config, ready: impl FnOnce()) -> String {
    match Server::start(env, config).await {
        Ok(server) => {
            ready();
            // It serves as long as it is held, which is until the process is crashed.
            let _serving = server;
            std::future::pending().await
        }
        Err(error) => error.to_string(),
    }
}

fn config(id: u64, plan: &Plan) -> Config {
    let mut config = sizes(&plan.server);
    if plan.cluster.nodes > 1 {
        config.node_id = id;
        config.peer_addr = Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PEER_PORT)));
        config.peer_advertise = Some(format!("{}:{PEER_PORT}", host(id)));
        config.replication = REPLICATION;
        // The first one founds the cluster.
        let others = (1..=plan.cluster.nodes).filter(|other| id != 1 && *other != id);
        config.seeds = others.map(|other| format!("{}:{PEER_PORT}", host(other))).collect();
    }
    config
}

fn sizes(plan: &ServerPlan) -> Config {
    let mut config = Config::default();
    config.api_addr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, API_PORT));
    config.admin_addr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, ADMIN_PORT));
    config.limits = if plan.limits_of_aws { LimitsMode::Aws } else { LimitsMode::Off };
    config.journal.file_bytes = plan.journal_file_bytes;
    config.journal.files_max = plan.journal_files_max;
    config.journal.flush_bytes = plan.flush_bytes;
    config.journal.tail_bytes_max = plan.tail_bytes_max;
    config.journal.free_bytes_reserve = plan.free_bytes_reserve;
    config.shards.retention_check = RETENTION_CHECK;
    config.shards.retention_settle = RETENTION_SETTLE;
    config
}
