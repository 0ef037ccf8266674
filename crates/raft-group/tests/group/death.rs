//! A group that cannot go on says so, and leaves no proposal in the dark.

use bytes::Bytes;
use env::sim::{FaultDisk, FaultPlan, ProcessEnd};
use raft_group::{Error, ProposeError};

use crate::world::{self, DEADLINE, REPLICA, open, put, run, world};

#[test]
fn a_group_that_lost_its_log_says_so_and_leaves_proposals_unknown() {
    let disk = FaultDisk::new(4, FaultPlan::default());
    run(async {
        let (journal, group) = open(world(1, &disk, &ProcessEnd::default())).await;
        put(&group, 0).await;
        let watched = group.clone();
        let watcher = tokio::spawn(async move { watched.stopped().await });
        tokio::task::yield_now().await;
        assert!(!watcher.is_finished());

        journal.close().await;
        let refused = group.propose(Bytes::from_static(b"\0late")).await;
        assert!(matches!(refused, Err(ProposeError::Unknown(_))), "{refused:?}");
        let reason = watcher.await.unwrap();
        assert!(reason.contains("the journal is closed"), "{reason}");

        let refused = group.propose(Bytes::from_static(b"\0later")).await;
        assert!(matches!(refused, Err(ProposeError::NotLeader { leader: None })), "{refused:?}");
        let waited = group.wait_leader(DEADLINE).await;
        assert!(matches!(waited, Err(Error::Stopped(_))), "{waited:?}");
        assert!(matches!(group.compact().await, Err(Error::Stopped(_))));
        assert!(matches!(group.initialize(&[REPLICA]).await, Err(Error::Stopped(_))));
    });
}

#[test]
fn a_group_that_is_shut_down_has_stopped() {
    let disk = FaultDisk::new(4, FaultPlan::default());
    run(async {
        let (_journal, group) = open(world(1, &disk, &ProcessEnd::default())).await;
        group.shutdown().await;
        assert_eq!(group.stopped().await, "raft stopped");
        assert!(matches!(world::try_put(&group, 0).await, Err(ProposeError::NotLeader { leader: None })));
    });
}

#[test]
fn a_machine_that_panics_ends_the_process() {
    let disk = FaultDisk::new(4, FaultPlan::default());
    run(async {
        let end = ProcessEnd::default();
        let (_journal, group) = open(world(1, &disk, &end)).await;
        assert_eq!(end.reason(), None);
        assert!(matches!(world::panic(&group).await, Err(ProposeError::Unknown(_))));
        assert_eq!(end.reason().as_deref(), Some("the state machine of group 5 panicked"));
    });
}
