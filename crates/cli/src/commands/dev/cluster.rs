//! `thalweg dev --nodes N`: a cluster on one machine, each node a process that this one keeps running.

use std::process::ExitCode;
use std::time::Duration;

use env::Env;
use server::Config;

use super::keeper::Keepers;
use super::ports::{self, Addresses};
use super::process::Recipe;
use super::{chaos, directory, exports};
use crate::args::DevArgs;
use crate::serve::{self, Signals};
use crate::{Outcome, logging};

/// The fewest nodes of which one can be missed.
const CHAOS_NODES_MIN: u8 = 3;

pub(super) fn run(config: &Config, args: &DevArgs) -> Outcome {
    if args.chaos && args.nodes < CHAOS_NODES_MIN {
        return Err(format!("--chaos needs --nodes {CHAOS_NODES_MIN} or more: of {} none can be missed", args.nodes));
    }
    let mut config = config.clone();
    if config.data_dir == Config::default().data_dir {
        config.data_dir = directory::DEFAULT.into();
    }
    logging::start(&config)?;
    env::real::run(keep(config, args)).map_err(|error| error.to_string())?
}

async fn keep(config: Config, args: &DevArgs) -> Outcome {
    // Before the first process, so that a signal meanwhile is not lost.
    let mut signals = Signals::new()?;
    let env = env::real::env(config.data_dir.clone());
    let addresses = prepare(&env, &config, args.nodes).await?;
    let began = env.clock.monotonic();
    let recipes = (1..=args.nodes).map(|number| Recipe::new(number, &config, args.limits, &addresses));
    let keepers = Keepers::start(&env, recipes.collect());
    let started = tokio::select! {
        biased;
        started = keepers.all_serve() => started.map(|()| true),
        _ = signals.next() => Ok(false),
    };
    let ran = match started {
        Ok(true) => {
            serve::print(&announcement(&config, &addresses, env.clock.monotonic() - began));
            attend(&env, args, &keepers, &mut signals).await
        }
        Ok(false) => Ok(()),
        Err(refused) => Err(format!("{} does not start, and says above why", directory::name(refused.number))),
    };
    stop(&keepers, &mut signals).await;
    ran.map(|()| ExitCode::SUCCESS)
}

/// Everything that can be wrong before a node is started.
async fn prepare(env: &Env, config: &Config, nodes: u8) -> Result<Vec<Addresses>, String> {
    let mut addresses = ports::assign(config.api_addr, config.admin_addr, nodes)?;
    let wanted: Vec<_> = addresses.iter().map(|node| node.peer).collect();
    let peers = directory::claim(&env.disk, &config.data_dir, &wanted).await?;
    for (node, peer) in addresses.iter_mut().zip(peers) {
        node.peer = peer;
    }
    ports::check(env, &addresses).await?;
    Ok(addresses)
}

fn announcement(config: &Config, addresses: &[Addresses], took: Duration) -> String {
    let (dir, nodes, ms) = (config.data_dir.display(), addresses.len(), took.as_millis());
    let urls = |each: fn(&Addresses) -> String| addresses.iter().map(each).collect::<Vec<_>>().join(",");
    let api = urls(|node| format!("http://{}", node.api));
    let admin = urls(|node| format!("http://{}", node.admin));
    let exports = exports(&addresses[0].api.to_string(), &config.region);
    format!("ready nodes={nodes} api={api} admin={admin} data={dir} in {ms} ms\n{exports}")
}

/// Until a signal. With chaos, an error if the nodes have lost something.
async fn attend(env: &Env, args: &DevArgs, keepers: &Keepers, signals: &mut Signals) -> Result<(), String> {
    if args.chaos {
        return chaos::run(env, keepers, Duration::from_secs(args.chaos_seconds), signals).await;
    }
    let name = signals.next().await;
    tracing::info!(signal = name, "stopping all nodes");
    Ok(())
}

/// Stops all nodes, at once on another signal.
async fn stop(keepers: &Keepers, signals: &mut Signals) {
    keepers.stop();
    let ended = keepers.all_ended();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            biased;
            () = &mut ended => return,
            _ = signals.next() => keepers.kill(),
        }
    }
}
