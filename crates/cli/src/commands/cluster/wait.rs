//! Waiting until something is really so.

use std::process::ExitCode;
use std::time::Duration;

use env::Env;
use server::{ClusterStatus, NodeState};
use types::NodeId;

use super::admin::Admin;
use super::{Ended, WaitArgs};

/// How often the cluster is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How often what is waited for is told, if it changes.
const TELL_INTERVAL: Duration = Duration::from_secs(1);
/// Lines told at once.
const LINES_MAX: usize = 8;
/// It was asked for, is not done yet, and goes on.
const NOT_DONE: u8 = 2;

/// How far something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is so; in words.
    Done(String),
    /// It is not yet; why.
    Waits(Vec<String>),
    /// It never will be; why.
    Never(String),
}

/// Waits until `judge` says that it is done, twice in a row: between two leaders a cluster may look as if nobody led anything. Tells
/// progress on standard error and the end on standard output.
pub(super) async fn wait(
    env: &Env,
    admin: &mut Admin,
    args: &WaitArgs,
    judge: impl Fn(&ClusterStatus) -> Progress,
) -> Ended {
    let began = env.clock.monotonic();
    let timeout = Duration::from_secs(args.timeout_seconds);
    let mut told = Told { lines: Vec::new(), at: None };
    let mut is_done = false;
    loop {
        let lines = match admin.status().await {
            Ok(status) => match judge(&status) {
                Progress::Done(words) if is_done => {
                    println!("{words}");
                    return Ok(ExitCode::SUCCESS);
                }
                Progress::Done(_) => {
                    is_done = true;
                    env.clock.sleep(POLL_INTERVAL).await;
                    continue;
                }
                Progress::Never(words) => return Err(words),
                Progress::Waits(lines) => lines,
            },
            Err(error) if error.may_pass() => vec![error.to_string()],
            Err(error) => return Err(error.to_string()),
        };
        is_done = false;
        let now = env.clock.monotonic();
        told.tell(lines, now - began);
        if now - began >= timeout {
            eprintln!("not done within {} s; it goes on, and the same command waits again", args.timeout_seconds);
            return Ok(ExitCode::from(NOT_DONE));
        }
        env.clock.sleep(POLL_INTERVAL).await;
    }
}

/// Sets what a node is there for, as soon as the cluster can be asked: it may be without a leader for a moment. Asked again after an
/// answer that was lost, it has no further effect.
pub(super) async fn set_state(
    env: &Env,
    admin: &mut Admin,
    args: &WaitArgs,
    (id, state, force): (NodeId, NodeState, bool),
) -> Result<(), String> {
    let began = env.clock.monotonic();
    loop {
        let error = match admin.set_state(id, state, force).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let waited = env.clock.monotonic() - began;
        if !error.may_pass() || waited >= Duration::from_secs(args.timeout_seconds) {
            return Err(error.to_string());
        }
        eprintln!("[{:>4} s] {error}", waited.as_secs());
        env.clock.sleep(TELL_INTERVAL).await;
    }
}

/// What the user knows.
struct Told {
    lines: Vec<String>,
    at: Option<Duration>,
}

impl Told {
    fn tell(&mut self, mut lines: Vec<String>, now: Duration) {
        let is_due = self.at.is_none_or(|at| now - at >= TELL_INTERVAL);
        let more = lines.len().saturating_sub(LINES_MAX);
        lines.truncate(LINES_MAX);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        if !is_due || lines == self.lines {
            return;
        }
        for line in &lines {
            eprintln!("[{:>4} s] {line}", now.as_secs());
        }
        *self = Told { lines, at: Some(now) };
    }
}

/// What a status waits for, if it says anything; else that it is waited.
pub(super) fn reasons(status: &ClusterStatus, otherwise: &str) -> Vec<String> {
    if status.waiting.is_empty() { vec![otherwise.to_owned()] } else { status.waiting.clone() }
}

/// Statuses for the tests of the verbs.
#[cfg(test)]
pub(super) mod tests {
    use server::{ClusterStatus, NodeState};
    use types::NodeId;

    /// Three active nodes of which the second leads the catalog, each with two replicas and one leader.
    pub(in super::super) fn status() -> ClusterStatus {
        let node = |id: u64| {
            serde_json::json!({
                "id": id, "zone": "a", "state": "active", "alive": true, "silent_ms": 20, "answered": true,
                "api_addr": format!("127.0.0.1:456{id}"), "peer_addr": format!("127.0.0.1:470{id}"),
                "replicas": 2, "arriving": 0, "leaders": 1,
            })
        };
        let status = serde_json::json!({
            "cluster": "thalweg", "cluster_id": "00", "answered_by": 1,
            "catalog": { "leader": 2, "voters": [1, 2, 3], "learners": [], "applied_index": 9, "lag_entries_max": 0 },
            "nodes": [node(1), node(2), node(3)], "removed_nodes": [],
            "shards": {
                "streams": 1, "shards": 2, "replicas": 6, "replication_max": 3, "leaderless": 0, "without_quorum": 0,
                "under_replicated": 0, "moving": 0, "rebuilding": 0, "damaged": 0, "lag_entries_max": 0,
            },
            "troubled": [], "balanced": true, "waiting": [],
        });
        serde_json::from_value(status).unwrap()
    }

    /// The same with a node in another state.
    pub(in super::super) fn status_with(id: u64, state: NodeState) -> ClusterStatus {
        let mut status = status();
        let node = status.nodes.iter_mut().find(|node| node.id == NodeId(id)).unwrap();
        node.state = state;
        status
    }
}
