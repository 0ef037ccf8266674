//! `thalweg cluster`: one file per verb.
//!
//! Each verb may be repeated: what is done already is not done again. Those that change something ask one node by its admin address, and
//! then wait until it is really so, telling what is waited for and why. What a verb takes for done is a pure function of the cluster's
//! status.

mod activate;
mod admin;
mod certs;
mod decommission;
mod drain;
mod init;
mod join;
mod rebalance;
mod replace;
mod status;
mod wait;

use std::process::ExitCode;

use clap::Subcommand;
use env::Env;

use crate::Outcome;

/// The command line of `thalweg cluster`.
#[derive(clap::Args)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Founds a cluster: makes the data directory of its first node, which `thalweg server` then runs
    Init(init::InitArgs),
    /// Makes this machine's node a member of a cluster, which `thalweg server` then runs
    Join(join::JoinArgs),
    /// Shows nodes, replicas, leaders, what is amiss, and what is waited for
    Status(status::StatusArgs),
    /// Has a node lead nothing, so that it can be stopped without a pause. `activate` is the way back
    Drain(drain::DrainArgs),
    /// Has a node take leaders and replicas again, after `drain`, or to call `decommission` off
    Activate(activate::ActivateArgs),
    /// Moves everything from a node to the others and removes it from the cluster, for good
    Decommission(decommission::DecommissionArgs),
    /// Moves everything from a node, dead or alive, to a new one, and removes it from the cluster, for good
    Replace(replace::ReplaceArgs),
    /// Waits until replicas, leaders and votes are where they should be. The cluster evens them out by itself
    Rebalance(rebalance::RebalanceArgs),
    /// Makes an authority, and a certificate for each node's calls to the others. What is there already stays as it is
    Certs(certs::CertsArgs),
}

/// Which node is asked.
#[derive(clap::Args)]
struct AdminArgs {
    /// The admin address of any node
    #[arg(long, value_name = "URL", env = "THALWEG_ADMIN_ENDPOINT", default_value = "http://127.0.0.1:4568")]
    admin_endpoint: String,
}

/// How long is waited.
#[derive(clap::Args)]
struct WaitArgs {
    /// How long to wait, at most; it goes on by itself afterwards. Exit code 2 when it is not done by then
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    timeout_seconds: u64,
}

/// How a verb ends that asks the cluster: an exit code, or words for the user.
type Ended = Result<ExitCode, String>;

pub(crate) fn run(args: ClusterArgs) -> Outcome {
    match args.verb {
        Verb::Init(args) => init::run(&args),
        Verb::Join(args) => join::run(&args),
        Verb::Status(args) => within(async move |env| status::run(&env, &args).await),
        Verb::Drain(args) => within(async move |env| drain::run(&env, &args).await),
        Verb::Activate(args) => within(async move |env| activate::run(&env, &args).await),
        Verb::Decommission(args) => within(async move |env| decommission::run(&env, &args).await),
        Verb::Replace(args) => within(async move |env| replace::run(&env, &args).await),
        Verb::Rebalance(args) => within(async move |env| rebalance::run(&env, &args).await),
        Verb::Certs(args) => certs::run(&args),
    }
}

/// Runs a verb in the real world. It has no files.
fn within<F: Future<Output = Ended>>(verb: impl FnOnce(Env) -> F) -> Outcome {
    let ran = env::real::run(async { verb(env::real::env(std::env::temp_dir())).await });
    ran.map_err(|error| error.to_string())?
}
