//! `thalweg cluster drain`

use env::Env;
use server::{ClusterStatus, NodeState};
use types::NodeId;

use super::admin::Admin;
use super::wait::{Progress, reasons, set_state, wait};
use super::{AdminArgs, Ended, WaitArgs};

#[derive(clap::Args)]
pub(crate) struct DrainArgs {
    /// The node's number
    #[arg(value_name = "NODE")]
    node: u64,
    /// Even if shards would stop when the node does
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(env: &Env, args: &DrainArgs) -> Ended {
    let id = NodeId(args.node);
    let mut admin = Admin::find(env, &args.admin).await?;
    let status = admin.status().await.map_err(|error| error.to_string())?;
    // A leaving node leads nothing either, and to call its departure off is another verb.
    if status.node(id).is_none_or(|node| node.state != NodeState::Leaving) {
        set_state(env, &mut admin, &args.wait, (id, NodeState::Draining, args.force)).await?;
    }
    wait(env, &mut admin, &args.wait, |status| progress(status, id)).await
}

/// Drained is a node that leads no shard, nor the catalog.
fn progress(status: &ClusterStatus, id: NodeId) -> Progress {
    let Some(node) = status.node(id) else {
        return Progress::Never(format!("node {id} is no member of the cluster any more"));
    };
    let leads_catalog = status.catalog.leader == Some(id);
    match () {
        () if node.state == NodeState::Active => {
            Progress::Never(format!("node {id} is active: somebody has called it off"))
        }
        () if !node.alive => Progress::Done(format!("node {id} is down, and leads nothing")),
        () if !node.answered => Progress::Waits(vec![format!("node {id} does not say what it leads")]),
        () if status.catalog.leader.is_none() => Progress::Waits(reasons(status, "the catalog has no leader")),
        () if node.leaders > 0 || leads_catalog => {
            Progress::Waits(reasons(status, &format!("node {id} leads {} shards", node.leaders)))
        }
        () => Progress::Done(format!("node {id} leads nothing and can be stopped; `activate {id}` is the way back")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::wait::tests::{status, status_with};
    use super::*;

    #[test]
    fn a_node_is_drained_when_it_leads_neither_a_shard_nor_the_catalog() {
        let two = NodeId(2);
        assert!(matches!(progress(&status(), two), Progress::Never(_)), "nobody has asked for it");
        let mut drained = status_with(2, NodeState::Draining);
        assert!(matches!(progress(&drained, two), Progress::Waits(_)));
        drained.nodes[1].leaders = 0;
        assert!(matches!(progress(&drained, two), Progress::Waits(_)), "it leads the catalog");
        drained.catalog.leader = Some(NodeId(3));
        assert!(matches!(progress(&drained, two), Progress::Done(_)));
        drained.catalog.leader = None;
        assert!(matches!(progress(&drained, two), Progress::Waits(_)), "it may be elected");
        drained.catalog.leader = Some(NodeId(3));
        drained.nodes[1].answered = false;
        assert!(matches!(progress(&drained, two), Progress::Waits(_)), "who knows what it leads");
        drained.nodes[1].alive = false;
        assert!(matches!(progress(&drained, two), Progress::Done(_)));
        assert!(matches!(progress(&drained, NodeId(9)), Progress::Never(_)));
    }
}
