//! `thalweg cluster status`

use std::fmt::Write;
use std::process::ExitCode;

use env::Env;
use server::{ClusterStatus, NodeStatus, ShardTrouble};
use types::NodeId;

use super::admin::Admin;
use super::{AdminArgs, Ended};

#[derive(clap::Args)]
pub(crate) struct StatusArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(env: &Env, args: &StatusArgs) -> Ended {
    let mut admin = Admin::find(env, &args.admin).await?;
    let status = admin.status().await.map_err(|error| error.to_string())?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&status).map_err(|error| error.to_string())?);
    } else {
        print!("{}", page(&status));
    }
    Ok(ExitCode::SUCCESS)
}

/// For eyes.
fn page(status: &ClusterStatus) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ =
        writeln!(page, "cluster {} ({}), as node {} sees it", status.cluster, status.cluster_id, status.answered_by);
    let _ = writeln!(page, "{}\n", catalog(status));
    page.push_str(&table(&status.nodes));
    let _ = writeln!(page, "\n{}", totals(status));
    for shard in &status.troubled {
        let _ = writeln!(page, "  {}", trouble(shard));
    }
    if !status.removed_nodes.is_empty() {
        let _ = writeln!(page, "has left: {}", list(&status.removed_nodes));
    }
    if !status.waiting.is_empty() {
        page.push_str("waits:\n");
        for reason in &status.waiting {
            let _ = writeln!(page, "  {reason}");
        }
    }
    page
}

fn catalog(status: &ClusterStatus) -> String {
    let catalog = &status.catalog;
    let leader = catalog.leader.map_or("led by nobody".to_owned(), |leader| format!("led by node {leader}"));
    let mut words = format!("catalog: {leader}, voters {}", list(&catalog.voters));
    if !catalog.learners.is_empty() {
        let _ = write!(words, ", learners {}", list(&catalog.learners));
    }
    if catalog.lag_entries_max > 0 {
        let _ = write!(words, ", {} entries behind", catalog.lag_entries_max);
    }
    words
}

fn table(nodes: &[NodeStatus]) -> String {
    let header = ["node", "zone", "state", "alive", "replicas", "leaders", "api", "peers"].map(str::to_owned);
    let rows: Vec<[String; 8]> = std::iter::once(header).chain(nodes.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..8).map(width).collect();
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

fn row(node: &NodeStatus) -> [String; 8] {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let alive = match (node.alive, node.answered) {
        (true, true) => "yes".to_owned(),
        (true, false) => "no answer".to_owned(),
        (false, _) => format!("silent {} s", node.silent_ms / 1_000),
    };
    let replicas =
        if node.arriving > 0 { format!("{} +{}", node.replicas, node.arriving) } else { node.replicas.to_string() };
    let leaders = if node.answered { node.leaders.to_string() } else { "-".to_owned() };
    [
        node.id.to_string(),
        or_dash(&node.zone),
        node.state.to_string(),
        alive,
        replicas,
        leaders,
        or_dash(&node.api_addr),
        or_dash(&node.peer_addr),
    ]
}

fn totals(status: &ClusterStatus) -> String {
    let shards = &status.shards;
    let mut words = format!("{} streams, {} shards, {} replicas", shards.streams, shards.shards, shards.replicas);
    let counts = [
        (shards.without_quorum, "without quorum"),
        (shards.leaderless, "leaderless"),
        (shards.under_replicated, "under-replicated"),
        (shards.moving, "moving"),
        (shards.rebuilding, "rebuilding"),
        (shards.damaged, "damaged replicas"),
    ];
    for (number, what) in counts.into_iter().filter(|(number, _)| *number > 0) {
        let _ = write!(words, ", {number} {what}");
    }
    if shards.lag_entries_max > 0 {
        let _ = write!(words, ", followers up to {} entries behind", shards.lag_entries_max);
    }
    let balanced = if status.balanced { "; balanced" } else { "; not balanced" };
    words + balanced
}

fn trouble(shard: &ShardTrouble) -> String {
    let troubles: Vec<&str> = shard.troubles.iter().map(|trouble| trouble.as_str()).collect();
    let mut words = format!("{} {}: {}; on {}", shard.stream, shard.shard, troubles.join(", "), list(&shard.replicas));
    if let Some(target) = &shard.target {
        let _ = write!(words, " -> {}", list(target));
    }
    if let Some(leader) = shard.leader {
        let _ = write!(words, ", led by {leader}");
    }
    if shard.lag_entries > 0 {
        let _ = write!(words, ", {} entries behind", shard.lag_entries);
    }
    words
}

fn list(nodes: &[NodeId]) -> String {
    let numbers: Vec<String> = nodes.iter().map(ToString::to_string).collect();
    if numbers.is_empty() { "-".to_owned() } else { numbers.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::super::wait::tests::status;
    use super::*;

    #[test]
    fn the_page_of_a_healthy_cluster_is_short() {
        let expected = "\
cluster thalweg (00), as node 1 sees it
catalog: led by node 2, voters 1, 2, 3

node  zone  state   alive  replicas  leaders  api             peers
1     a     active  yes    2         1        127.0.0.1:4561  127.0.0.1:4701
2     a     active  yes    2         1        127.0.0.1:4562  127.0.0.1:4702
3     a     active  yes    2         1        127.0.0.1:4563  127.0.0.1:4703

1 streams, 2 shards, 6 replicas; balanced
";
        assert_eq!(page(&status()), expected);
    }

    #[test]
    fn what_is_amiss_is_on_the_page() {
        let mut status = status();
        status.nodes[2].alive = false;
        status.nodes[2].answered = false;
        status.nodes[2].silent_ms = 42_900;
        status.shards.under_replicated = 1;
        status.balanced = false;
        status.removed_nodes = vec![NodeId(7)];
        status.waiting = vec!["node 3 has been silent for 42 s".into()];
        let shard = serde_json::json!({
            "stream": "flights", "shard": "shardId-000000000001", "group": 2, "leader": 1, "replicas": [1, 2, 3],
            "target": [1, 2, 4], "replication": 3, "lag_entries": 12, "troubles": ["under_replicated", "moving"],
        });
        status.troubled = vec![serde_json::from_value(shard).unwrap()];
        let page = page(&status);
        for part in [
            "3     a     active  silent 42 s  2         -        ",
            "1 under-replicated; not balanced\n",
            "  flights shardId-000000000001: under-replicated, moving; on 1, 2, 3 -> 1, 2, 4, led by 1, 12 entries behind\n",
            "has left: 7\n",
            "waits:\n  node 3 has been silent for 42 s\n",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
    }
}
