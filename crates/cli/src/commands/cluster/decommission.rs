//! `thalweg cluster decommission`

use env::Env;
use server::{ClusterStatus, NodeState};
use types::NodeId;

use super::admin::Admin;
use super::wait::{Progress, reasons, set_state, wait};
use super::{AdminArgs, Ended, WaitArgs};

#[derive(clap::Args)]
pub(crate) struct DecommissionArgs {
    /// The node's number
    #[arg(value_name = "NODE")]
    node: u64,
    /// Even if too few nodes would be left for as many replicas as streams ask for
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(env: &Env, args: &DecommissionArgs) -> Ended {
    let id = NodeId(args.node);
    let mut admin = Admin::find(env, &args.admin).await?;
    let status = admin.status().await.map_err(|error| error.to_string())?;
    check_witness(&status, id)?;
    set_state(env, &mut admin, &args.wait, (id, NodeState::Leaving, args.force)).await?;
    wait(env, &mut admin, &args.wait, |status| progress(status, id)).await
}

/// A node that is removed is told nothing more, so that it can't be asked whether it has been.
pub(super) fn check_witness(status: &ClusterStatus, id: NodeId) -> Result<(), String> {
    if status.answered_by != id {
        return Ok(());
    }
    Err(format!("node {id} will not know when it has left: give --admin-endpoint of another node"))
}

/// Gone is a node that has been removed, which it is when it holds no replica and does not vote.
pub(super) fn progress(status: &ClusterStatus, id: NodeId) -> Progress {
    if status.removed_nodes.contains(&id) {
        return Progress::Done(format!(
            "node {id} has left the cluster: stop it, its data directory is of no more use"
        ));
    }
    match status.node(id) {
        None => Progress::Never(format!("node {id} is no member of the cluster")),
        Some(node) if node.state != NodeState::Leaving => {
            Progress::Never(format!("node {id} is {}: somebody has called it off", node.state))
        }
        Some(_) => Progress::Waits(reasons(status, &format!("node {id} is about to be removed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::wait::tests::{status, status_with};
    use super::*;

    #[test]
    fn a_node_is_gone_when_the_catalog_has_removed_it() {
        let three = NodeId(3);
        assert!(matches!(progress(&status(), three), Progress::Never(_)));
        let mut leaving = status_with(3, NodeState::Leaving);
        assert_eq!(progress(&leaving, three), Progress::Waits(vec!["node 3 is about to be removed".into()]));
        leaving.waiting = vec!["node 3 is leaving and still holds 2 replicas".into()];
        assert_eq!(progress(&leaving, three), Progress::Waits(leaving.waiting.clone()));
        leaving.nodes.pop();
        assert!(matches!(progress(&leaving, three), Progress::Never(_)));
        leaving.removed_nodes = vec![three];
        assert!(matches!(progress(&leaving, three), Progress::Done(_)));
    }

    #[test]
    fn the_node_that_leaves_is_not_asked_whether_it_has_left() {
        assert!(check_witness(&status(), NodeId(1)).is_err());
        assert!(check_witness(&status(), NodeId(2)).is_ok());
    }
}
