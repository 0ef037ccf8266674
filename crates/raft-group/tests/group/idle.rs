//! What a group costs that nobody uses.

use std::time::Duration;

use env::sim::{FaultDisk, FaultPlan, ProcessEnd};
use journal::{Journal, Options};
use raft_group::RaftNode;
use telemetry::Telemetry;
use tokio::runtime::Handle;
use types::GroupId;

use crate::machine::{Numbers, options};
use crate::world::{DEADLINE, NODE, REPLICA, run, world};

#[test]
fn five_hundred_idle_groups_write_nothing_and_wake_nobody() {
    let disk = FaultDisk::new(3, FaultPlan::default());
    run(async {
        let env = world(1, &disk, &ProcessEnd::default());
        let telemetry = Telemetry::new();
        // The journal's own rounds are not what is measured here.
        let options = Options { maintenance_interval: Duration::from_secs(1 << 20), ..options() };
        let (journal, _) = Journal::open(env.clone(), options, telemetry.clone()).await.unwrap();
        let node = RaftNode::alone(env.clone(), NODE);
        let mut groups = Vec::new();
        for id in 1..=500 {
            let log = journal.group(GroupId(id)).unwrap();
            let group = node.open(log.id(), log, REPLICA, Numbers::new(false)).await.unwrap();
            group.initialize(&[REPLICA]).await.unwrap();
            group.wait_leader(DEADLINE).await.unwrap();
            groups.push(group);
        }
        // openraft's tick looks once whether it is wanted.
        tokio::time::sleep(Duration::from_secs(10)).await;
        let polls = || Handle::current().metrics().worker_poll_count(0);
        let before = (telemetry.journal_blocks.get(), polls());
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!((telemetry.journal_blocks.get(), polls()), before, "blocks written, tasks polled");
    });
}
