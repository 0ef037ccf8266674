//! The real world beyond its disk: sockets, threads, randomness.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

#[test]
fn connections_carry_bytes_in_both_directions() {
    let root = tempfile::tempdir().unwrap();
    env::real::run(async {
        let env = env::real::env(root.path().to_owned());
        let mut listener = env.network.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_ne!(address.port(), 0);
        env.spawn.task(
            "server",
            Box::pin(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let number = stream.read_u64().await.unwrap();
                stream.write_u64(number + 1).await.unwrap();
            }),
        );
        let mut stream = env.network.connect(address).await.unwrap();
        stream.write_u64(41).await.unwrap();
        assert_eq!(stream.read_u64().await.unwrap(), 42);
        let taken = env.network.bind(address).await.err().map(|error| error.kind());
        assert!(matches!(taken, None | Some(std::io::ErrorKind::AddrInUse)));
    })
    .unwrap();
}

#[test]
fn names_and_addresses_are_resolved() {
    let root = tempfile::tempdir().unwrap();
    env::real::run(async {
        let env = env::real::env(root.path().to_owned());
        let found = env.network.resolve("localhost:4568").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|found| found.ip().is_loopback() && found.port() == 4568));
        assert_eq!(env.network.resolve("10.0.0.2:1").await.unwrap(), ["10.0.0.2:1".parse().unwrap()]);
        assert_eq!(env.network.resolve("[::1]:2").await.unwrap(), ["[::1]:2".parse().unwrap()]);
        for bad in ["", "localhost", "localhost:port", "localhost:99999"] {
            assert!(env.network.resolve(bad).await.is_err(), "{bad}");
        }
    })
    .unwrap();
}

#[test]
fn a_dedicated_task_has_a_named_thread_with_timers_and_files_and_spawns_onto_the_shared_executor() {
    let root = tempfile::tempdir().unwrap();
    env::real::run(async {
        let env = env::real::env(root.path().to_owned());
        let (work, mut to_do) = mpsc::channel::<u8>(1);
        let (report, reported) = oneshot::channel();
        let dedicated = env.for_dedicated();
        env.spawn.dedicated(
            "journal",
            Box::pin(async move {
                let number = to_do.recv().await.unwrap();
                dedicated.clock.sleep(std::time::Duration::from_millis(1)).await;
                let file = dedicated.disk.create("file").await.unwrap();
                file.write_at(0, vec![vec![number].into()]).await.unwrap();
                file.sync().await.unwrap();
                let own = std::thread::current();
                dedicated.spawn.task(
                    "shared",
                    Box::pin(async move {
                        let shared = std::thread::current();
                        let _ = report.send((own.name().map(str::to_owned), own.id() != shared.id()));
                    }),
                );
                // Blocks its thread for good, as a write would: the shared task runs all the same.
                std::thread::park();
            }),
        );
        work.send(7).await.unwrap();
        assert_eq!(reported.await.unwrap(), (Some("journal".to_owned()), true));
        let file = env.disk.open("file").await.unwrap();
        assert_eq!(file.read_at(0, 10).await.unwrap(), &[7][..]);
    })
    .unwrap();
}

#[test]
fn randomness_and_time_are_the_machines() {
    let root = tempfile::tempdir().unwrap();
    env::real::run(async {
        let env = env::real::env(root.path().to_owned());
        assert_ne!(env.random.u64(), env.random.u64());
        assert!(env.clock.unix_ms() > 1_700_000_000_000, "the clock of this machine is set to before 2023");
        let before = env.clock.monotonic();
        env.clock.sleep(std::time::Duration::from_millis(2)).await;
        assert!(env.clock.monotonic() - before >= std::time::Duration::from_millis(2));
    })
    .unwrap();
}

#[test]
fn a_process_that_aborts_says_why_and_ends() {
    // The test runs itself again as the process that aborts.
    const CHILD: &str = "THALWEG_TEST_ABORTS";
    if std::env::var_os(CHILD).is_some() {
        let root = tempfile::tempdir().unwrap();
        env::real::run(async {
            let env = env::real::env(root.path().to_owned());
            match env.spawn.abort("fdatasync failed").await {}
        })
        .unwrap();
    }
    let me = std::env::current_exe().unwrap();
    let child = std::process::Command::new(me)
        .args(["--exact", "a_process_that_aborts_says_why_and_ends"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    use std::os::unix::process::ExitStatusExt;
    const SIGABRT: i32 = 6;
    assert_eq!(child.status.signal(), Some(SIGABRT), "{child:?}");
}
