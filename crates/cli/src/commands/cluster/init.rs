//! `thalweg cluster init`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use server::{Config, Established};

use crate::commands::server::load;
use crate::{Outcome, logging};

#[derive(clap::Args)]
pub(crate) struct InitArgs {
    /// The configuration of the first node. Its `seeds` are ignored: name all nodes there, and none founds a second cluster by mistake
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How long it may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout_seconds: u64,
}

pub(super) fn run(args: &InitArgs) -> Outcome {
    let mut config = load(&args.config)?.config;
    config.seeds.clear();
    let established = establish(&config, args.timeout_seconds)?;
    let file = args.config.display();
    match established {
        Established::Before => println!("{}", before(&config)),
        Established::Now { cluster_id } => {
            println!("node {} has founded cluster {} ({cluster_id})", config.node_id, config.cluster);
            match config.peer_advertise.clone().or_else(|| config.peer_addr.map(|address| address.to_string())) {
                Some(seed) => println!("other nodes join with: thalweg cluster join --config FILE --seed {seed}"),
                None => println!("peer_addr is not set in {file}: no other node can join"),
            }
        }
    }
    println!("run it with: thalweg server --config {file}");
    Ok(ExitCode::SUCCESS)
}

/// Makes the data directory that of a member, by founding a cluster or joining the one of the configured seeds.
pub(super) fn establish(config: &Config, timeout_seconds: u64) -> Result<Established, String> {
    logging::start(config)?;
    let dir = config.data_dir.display();
    let ran = env::real::run(async {
        let env = env::real::env(config.data_dir.clone());
        let clock = env.clock.clone();
        tokio::select! {
            biased;
            established = server::establish(env, config) => established.map_err(|error| format!("{dir}: {error}")),
            // To leave in the middle is no worse than a crash.
            () = clock.sleep(Duration::from_secs(timeout_seconds)) => Err(format!(
                "not done within {timeout_seconds} s: does a majority of the cluster run, and are `cluster`, seeds and addresses right?"
            )),
        }
    });
    ran.map_err(|error| error.to_string())?
}

/// There is nothing to do.
pub(super) fn before(config: &Config) -> String {
    format!(
        "the data directory {} is a member's already, or a node runs on it: it stays as it is",
        config.data_dir.display()
    )
}
