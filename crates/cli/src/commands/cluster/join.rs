//! `thalweg cluster join`

use std::path::PathBuf;
use std::process::ExitCode;

use server::Established;

use super::init::{before, establish};
use crate::Outcome;
use crate::commands::server::load;

#[derive(clap::Args)]
pub(crate) struct JoinArgs {
    /// The configuration of this node, with a `node_id` of its own
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The `peer_addr` of a node of the cluster, or of several [default: the configured seeds]
    #[arg(long = "seed", value_name = "HOST:PORT")]
    seeds: Vec<String>,
    /// How long it may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout_seconds: u64,
}

pub(super) fn run(args: &JoinArgs) -> Outcome {
    let mut config = load(&args.config)?.config;
    let file = args.config.display();
    if !args.seeds.is_empty() {
        config.seeds.clone_from(&args.seeds);
    }
    if config.seeds.is_empty() {
        return Err(format!(
            "there is no seed: give --seed HOST:PORT, the peer_addr of a node of the cluster, or seeds in {file}"
        ));
    }
    if config.peer_addr.is_none() {
        return Err(format!("peer_addr is not set in {file}: the other nodes must reach this one"));
    }
    match establish(&config, args.timeout_seconds)? {
        Established::Before => println!("{}", before(&config)),
        Established::Now { cluster_id } => {
            println!("node {} has joined cluster {} ({cluster_id})", config.node_id, config.cluster);
        }
    }
    println!("run it with: thalweg server --config {file}");
    Ok(ExitCode::SUCCESS)
}
