//! `thalweg cluster replace`

use std::time::Duration;

use env::Env;
use server::{ClusterStatus, NodeState};
use types::NodeId;

use super::admin::Admin;
use super::wait::{Progress, set_state, wait};
use super::{AdminArgs, Ended, WaitArgs, decommission};

/// A node that has just joined is heard within a moment.
const HEARD_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

#[derive(clap::Args)]
pub(crate) struct ReplaceArgs {
    /// The number of the node that goes, dead or alive
    #[arg(value_name = "DEAD")]
    node: u64,
    /// The number of the node that takes its place, which has joined the cluster
    #[arg(long, value_name = "NEW")]
    with: u64,
    /// Even if too few nodes would be left for as many replicas as streams ask for
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(env: &Env, args: &ReplaceArgs) -> Ended {
    let (id, with) = (NodeId(args.node), NodeId(args.with));
    let mut admin = Admin::find(env, &args.admin).await?;
    let began = env.clock.monotonic();
    loop {
        let status = admin.status().await.map_err(|error| error.to_string())?;
        decommission::check_witness(&status, id)?;
        let waited = env.clock.monotonic() - began;
        if status.removed_nodes.contains(&id) || may_begin(&status, id, with)? {
            note(&status, id, with).iter().for_each(|note| eprintln!("{note}"));
            break;
        }
        if waited >= HEARD_MAX {
            return Err(format!("node {with} is down"));
        }
        env.clock.sleep(PAUSE).await;
    }
    set_state(env, &mut admin, &args.wait, (id, NodeState::Leaving, args.force)).await?;
    wait(env, &mut admin, &args.wait, |status| progress(status, id, with)).await
}

/// Whether the one can take the other's place now; an error if it never can, false if it only has to be heard.
fn may_begin(status: &ClusterStatus, id: NodeId, with: NodeId) -> Result<bool, String> {
    if id == with {
        return Err(format!(
            "node {id} can't replace itself: join the cluster with an empty data directory and another number"
        ));
    }
    match status.node(with) {
        None => Err(format!("node {with} is no member of the cluster: it has to join first")),
        Some(new) if new.state != NodeState::Active => Err(format!("node {with} is {}, not active", new.state)),
        Some(new) => Ok(new.alive),
    }
}

/// Where the replicas go: new ones always go where they spread a shard best over the zones, and there to the emptiest node. That is the
/// new one, as long as it is empty and in the zone of the old one.
fn note(status: &ClusterStatus, id: NodeId, with: NodeId) -> Option<String> {
    let (old, new) = (status.node(id)?, status.node(with)?);
    let emptiest = status.nodes.iter().filter(|node| node.id != id && node.alive && node.state == NodeState::Active);
    let fewest = emptiest.map(|node| node.replicas + node.arriving).min()?;
    match () {
        () if old.zone != new.zone => Some(format!(
            "node {with} is in another zone (`{}`) than node {id} (`{}`): shards stay spread over zones, whichever nodes that takes",
            new.zone, old.zone
        )),
        () if new.replicas + new.arriving > fewest => {
            Some(format!("node {with} is not the emptiest: other nodes get replicas too, so that all end with as many"))
        }
        () => None,
    }
}

fn progress(status: &ClusterStatus, id: NodeId, with: NodeId) -> Progress {
    match decommission::progress(status, id) {
        Progress::Done(_) => {
            let (replicas, leaders) = status.node(with).map_or((0, 0), |node| (node.replicas, node.leaders));
            Progress::Done(format!(
                "node {with} has taken the place of node {id}, with {replicas} replicas and {leaders} leaders; node {id} has left the cluster"
            ))
        }
        progress => progress,
    }
}

#[cfg(test)]
mod tests {
    use super::super::wait::tests::{status, status_with};
    use super::*;

    #[test]
    fn only_another_node_that_is_there_and_up_can_take_the_place() {
        let may_begin = |status: &ClusterStatus, with| may_begin(status, NodeId(3), NodeId(with)).ok();
        assert_eq!(may_begin(&status(), 2), Some(true));
        assert_eq!(may_begin(&status(), 3), None);
        assert_eq!(may_begin(&status(), 4), None);
        assert_eq!(may_begin(&status_with(2, NodeState::Draining), 2), None);
        let mut down = status();
        down.nodes[1].alive = false;
        assert_eq!(may_begin(&down, 2), Some(false));
    }

    #[test]
    fn it_is_said_beforehand_when_not_all_will_go_to_the_new_node() {
        let mut status = status();
        assert_eq!(note(&status, NodeId(3), NodeId(2)), None);
        status.nodes[1].replicas += 1;
        assert!(note(&status, NodeId(3), NodeId(2)).is_some_and(|note| note.contains("not the emptiest")));
        status.nodes[1].zone = "b".into();
        assert!(note(&status, NodeId(3), NodeId(2)).is_some_and(|note| note.contains("another zone")));
    }
}
