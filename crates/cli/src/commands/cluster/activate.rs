//! `thalweg cluster activate`

use std::process::ExitCode;

use env::Env;
use server::NodeState;
use types::NodeId;

use super::admin::Admin;
use super::{AdminArgs, Ended};

#[derive(clap::Args)]
pub(crate) struct ActivateArgs {
    /// The node's number
    #[arg(value_name = "NODE")]
    node: u64,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(env: &Env, args: &ActivateArgs) -> Ended {
    let id = NodeId(args.node);
    let mut admin = Admin::find(env, &args.admin).await?;
    admin.set_state(id, NodeState::Active, false).await.map_err(|error| error.to_string())?;
    println!("node {id} is active; leaders and replicas come to it by themselves, `rebalance` waits for that");
    Ok(ExitCode::SUCCESS)
}
