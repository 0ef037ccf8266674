use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use catalog_state::CatalogState;
use env::{Disk, Env};
use raft_group::RaftNode;
use tokio::sync::watch;
use types::NodeId;

const FILE: &str = "PEERS";
const DRAFT: &str = "PEERS.new";
/// The first line; then `node host:port` on a line each. What is not so is ignored: the file is a help, not a truth.
const VERSION: &str = "thalweg peers 1";
/// Bytes of the file at most: some 50 for each of a few hundred nodes.
const BYTES_MAX: usize = 1 << 20;

/// Tells this node's groups of the other nodes, as the catalog knows them.
///
/// The addresses are also kept in a file: after a restart of all nodes at once a replica of the catalog must reach the others before it
/// can know again what has been committed.
pub(crate) struct Peers {
    pub(crate) env: Env,
    pub(crate) raft: RaftNode,
    pub(crate) catalog: watch::Receiver<Arc<CatalogState>>,
    pub(crate) stop: watch::Receiver<bool>,
}

pub(crate) type Addresses = BTreeMap<NodeId, String>;

/// What was known before the restart; of some use only until the catalog says more.
pub(crate) async fn remembered(disk: &Arc<dyn Disk>) -> Addresses {
    match load(disk).await {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(%error, "the addresses of other nodes cannot be read; the catalog tells them");
            Addresses::new()
        }
    }
}

impl Peers {
    pub(crate) async fn run(mut self, mut known: Addresses) {
        loop {
            let now = addresses(&self.catalog.borrow_and_update());
            // A catalog that has not caught up yet knows fewer nodes than there were.
            if now != known && !now.is_empty() {
                self.raft.set_peers(&now);
                if let Err(error) = store(&self.env.disk, &now).await {
                    tracing::warn!(%error, "the addresses of other nodes cannot be kept");
                }
                known = now;
            }
            tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return,
                changed = self.catalog.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn addresses(catalog: &CatalogState) -> Addresses {
    catalog.nodes().iter().map(|(id, node)| (*id, node.peer_addr.clone())).collect()
}

async fn load(disk: &Arc<dyn Disk>) -> io::Result<Addresses> {
    match disk.open(FILE).await {
        Ok(file) => Ok(parse(&file.read_at(0, BYTES_MAX).await?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Addresses::new()),
        Err(error) => Err(error),
    }
}

async fn store(disk: &Arc<dyn Disk>, known: &Addresses) -> io::Result<()> {
    // Left by a crash.
    match disk.remove(DRAFT).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(DRAFT).await?;
    file.write_at(0, vec![print(known)]).await?;
    file.sync().await?;
    disk.rename(DRAFT, FILE).await?;
    disk.sync_dir("").await
}

fn print(known: &Addresses) -> Bytes {
    let lines = known.iter().map(|(node, address)| format!("{node} {address}\n"));
    std::iter::once(format!("{VERSION}\n")).chain(lines).collect::<String>().into()
}

fn parse(bytes: &[u8]) -> Addresses {
    let text = std::str::from_utf8(bytes).ok().and_then(|text| text.strip_prefix(VERSION)).unwrap_or_default();
    let line = |line: &str| {
        let (node, address) = line.split_once(' ')?;
        Some((NodeId(node.parse().ok()?), address.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};

    #[tokio::test]
    async fn addresses_are_found_again_after_power_loss() {
        let disk = FaultDisk::new(1, FaultPlan::default());
        let world = |start| sim::env(start, SimClock::new(0), disk.mount(), ProcessEnd::default());
        assert_eq!(load(&world(1).disk).await.unwrap(), Addresses::new());
        for count in [3, 2] {
            let known: Addresses = (1..=count).map(|node| (NodeId(node), format!("host-{node}:4569"))).collect();
            store(&world(2).disk, &known).await.unwrap();
            disk.power_loss();
            assert_eq!(load(&world(3).disk).await.unwrap(), known);
        }
    }

    #[test]
    fn garbage_gives_no_addresses() {
        assert_eq!(parse(b""), Addresses::new());
        assert_eq!(parse(b"\xff\xfe"), Addresses::new());
        assert_eq!(parse(b"thalweg peers 1\nx y\n2 b:1\n"), Addresses::from([(NodeId(2), "b:1".into())]));
    }
}
