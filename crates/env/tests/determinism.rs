//! Two runs of a seed inside turmoil do the same thing at the same virtual time.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use env::Env;
use env::sim::{FaultDisk, FaultPlan, Latency, ProcessEnd, SimClock};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PORT: u16 = 4567;
const REQUESTS: u64 = 20;

/// What happened, line by line, with the virtual time of each.
type Trace = Arc<Mutex<String>>;

fn note(trace: &Trace, env: &Env, what: &str) {
    writeln!(trace.lock(), "{:?} {} {what}", env.clock.monotonic(), env.clock.unix_ms()).unwrap();
}

fn plan() -> FaultPlan {
    let latency = Latency { min: Duration::ZERO, max: Duration::from_millis(20) };
    FaultPlan { latency, sync_latency: latency, read_error_rate: 0.2, ..FaultPlan::default() }
}

/// Answers each number with whether it could be stored and read back, while another task keeps the disk busy.
async fn server(env: Env, trace: Trace) -> std::io::Result<()> {
    let mut listener = env.network.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT))).await?;
    note(&trace, &env, &format!("names after start: {:?}", env.disk.list("").await?));
    let file = match env.disk.create("numbers").await {
        Ok(file) => file,
        Err(_) => env.disk.open("numbers").await?,
    };
    env.disk.sync_dir("").await?;

    let (busy, busy_env, busy_trace) = (Arc::clone(&file), env.clone(), Arc::clone(&trace));
    env.spawn.dedicated(
        "busy",
        Box::pin(async move {
            loop {
                busy_env.clock.sleep(Duration::from_millis(busy_env.random.u64() % 30)).await;
                let synced = busy.sync().await;
                note(&busy_trace, &busy_env, &format!("busy synced: {}", synced.is_ok()));
            }
        }),
    );
    loop {
        let (mut stream, peer) = listener.accept().await?;
        let (env, trace, file) = (env.clone(), Arc::clone(&trace), Arc::clone(&file));
        let shared = env.clone();
        shared.spawn.task(
            "connection",
            Box::pin(async move {
                while let Ok(number) = stream.read_u64().await {
                    let bytes = number.to_le_bytes().to_vec();
                    let written = file.write_at(number % 10_000, vec![bytes.clone().into()]).await;
                    let read = file.read_at(number % 10_000, 8).await;
                    let good = written.is_ok() && read.is_ok_and(|read| read == bytes);
                    note(&trace, &env, &format!("{peer} sent {number}: {good}"));
                    if stream.write_u8(u8::from(good)).await.is_err() {
                        return;
                    }
                }
            }),
        );
    }
}

async fn client(env: Env, trace: Trace) -> turmoil::Result {
    for _ in 0..REQUESTS {
        let number = env.random.u64();
        let exchange = async {
            let mut stream = env.network.connect((turmoil::lookup("server"), PORT).into()).await?;
            stream.write_u64(number).await?;
            stream.read_u8().await
        };
        let answer = tokio::time::timeout(Duration::from_millis(500), exchange).await;
        note(&trace, &env, &format!("{number} answered: {answer:?}"));
        env.clock.sleep(Duration::from_millis(number % 50)).await;
    }
    Ok(())
}

/// One simulation: a server that loses power in the middle, and two clients.
fn run(seed: u64) -> String {
    let trace = Trace::default();
    let disk = FaultDisk::new(seed, plan());
    let clock = SimClock::new(1_700_000_000_000);
    let starts = Rc::new(RefCell::new(0));
    let end = Rc::new(RefCell::new(ProcessEnd::default()));

    let mut builder = turmoil::Builder::new();
    builder.rng_seed(seed).enable_random_order().tcp_capacity(65_536).simulation_duration(Duration::from_secs(60));
    let mut sim = builder.build();
    let (server_disk, server_trace, server_clock) = (disk.clone(), Arc::clone(&trace), clock.clone());
    let server_end = Rc::clone(&end);
    sim.host("server", move || {
        *starts.borrow_mut() += 1;
        server_end.replace(ProcessEnd::default());
        let seed = seed.wrapping_mul(1_000) + *starts.borrow();
        let env = env::sim::env(seed, server_clock.clone(), server_disk.mount(), server_end.borrow().clone());
        let trace = Arc::clone(&server_trace);
        async move { Ok(server(env, trace).await?) }
    });
    for (number, name) in [(1, "anna"), (2, "bert")] {
        let disk = FaultDisk::new(seed, plan()).mount();
        let env = env::sim::env(seed * 1_000_000 + number, clock.clone(), disk, ProcessEnd::default());
        sim.client(name, client(env, Arc::clone(&trace)));
    }

    let mut steps = 0;
    while !sim.step().unwrap() {
        steps += 1;
        if steps == 300 {
            env::sim::crash(&mut sim, "server", &end.borrow());
            disk.power_loss();
            clock.jump_ms(-5_000);
            sim.bounce("server");
        }
    }
    let mut trace = trace.lock();
    writeln!(trace, "{steps} steps, {:?}, {:?}", disk.counts(), disk.files()).unwrap();
    trace.clone()
}

/// tokio numbers tasks over the whole program, and sorts by it what it drops with a runtime: no trace may depend on that.
fn shift_task_numbers(by: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..=by {
            tokio::spawn(async {}).await.unwrap();
        }
    });
}

#[test]
fn two_runs_of_a_seed_leave_the_same_trace() {
    for seed in 0..40 {
        let one = run(seed);
        shift_task_numbers(seed);
        let two = run(seed);
        let first_difference = one.lines().zip(two.lines()).find(|(one, two)| one != two);
        assert_eq!(first_difference, None, "seed {seed}, after {} lines", one.lines().count());
        assert_eq!(one.len(), two.len(), "seed {seed}");
        assert!(one.lines().count() > 50, "not much happened: {one}");
        assert!(one.contains(": true") && one.contains(": false") && one.contains("power_losses: 1"), "{one}");
    }
}

#[test]
fn another_seed_leaves_another_trace() {
    assert_ne!(run(1), run(2));
}

#[test]
fn names_of_hosts_and_addresses_are_resolved() {
    let mut sim = turmoil::Builder::new().build();
    sim.host("server", std::future::pending);
    let disk = FaultDisk::new(1, plan()).mount();
    let env = env::sim::env(1, SimClock::new(0), disk, ProcessEnd::default());
    sim.client("client", async move {
        let server = SocketAddr::from((turmoil::lookup("server"), PORT));
        assert_eq!(env.network.resolve(&format!("server:{PORT}")).await?, [server]);
        assert_eq!(env.network.resolve(&server.to_string()).await?, [server]);
        for bad in ["", "server", "server:port", "server:99999", ":1"] {
            assert!(env.network.resolve(bad).await.is_err(), "{bad}");
        }
        Ok(())
    });
    sim.run().unwrap();
}
