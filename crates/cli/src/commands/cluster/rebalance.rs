//! `thalweg cluster rebalance`

use env::Env;
use server::{ClusterStatus, NodeStatus};

use super::admin::Admin;
use super::wait::{Progress, reasons, wait};
use super::{AdminArgs, Ended, WaitArgs};

#[derive(clap::Args)]
pub(crate) struct RebalanceArgs {
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    admin: AdminArgs,
}

/// There is nothing to be asked for: the catalog's leader evens things out all the time.
pub(super) async fn run(env: &Env, args: &RebalanceArgs) -> Ended {
    let mut admin = Admin::find(env, &args.admin).await?;
    wait(env, &mut admin, &args.wait, progress).await
}

fn progress(status: &ClusterStatus) -> Progress {
    if status.catalog.leader.is_none() || !status.balanced {
        return Progress::Waits(reasons(status, "replicas or leaders are to move"));
    }
    let numbers = |number: fn(&NodeStatus) -> usize| {
        let numbers: Vec<String> = status.nodes.iter().map(|node| number(node).to_string()).collect();
        numbers.join(", ")
    };
    let (nodes, replicas) = (numbers(|node| node.id.0 as usize), numbers(|node| node.replicas));
    let leaders = numbers(|node| node.leaders);
    Progress::Done(format!("balanced: nodes {nodes} hold {replicas} replicas and lead {leaders} shards"))
}

#[cfg(test)]
mod tests {
    use super::super::wait::tests::status;
    use super::*;

    #[test]
    fn balanced_is_what_the_controllers_would_not_change() {
        let mut status = status();
        let done = "balanced: nodes 1, 2, 3 hold 2, 2, 2 replicas and lead 1, 1, 1 shards";
        assert_eq!(progress(&status), Progress::Done(done.into()));
        status.balanced = false;
        assert!(matches!(progress(&status), Progress::Waits(_)));
        status.balanced = true;
        status.catalog.leader = None;
        assert!(matches!(progress(&status), Progress::Waits(_)), "nobody would change anything");
    }
}
