//! The directory of a cluster on one machine: a folder per node, and a file that says where the nodes find each other.
//!
//! Each node remembers the peer addresses of the others, so those stay with the directory, whatever the other addresses become.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use env::Disk;

const FILE: &str = "CLUSTER";
const DRAFT: &str = "CLUSTER.new";
/// The first line; another version is refused.
const VERSION: &str = "thalweg dev cluster 1";
/// What every data directory of a node has.
const NODE_MARK: &str = "FORMAT";
/// Nine addresses need far less.
const BYTES_MAX: usize = 4 << 10;

/// Where several nodes keep their data if nobody says where; not where a single one does, so that both can be tried side by side.
pub(super) const DEFAULT: &str = "thalweg-cluster";

/// The folder of a node.
pub(super) fn folder(dir: &Path, number: u8) -> PathBuf {
    dir.join(name(number))
}

/// What a node is called, here and in the log.
pub(super) fn name(number: u8) -> String {
    format!("node-{number}")
}

/// Makes `dir` the directory of a cluster with the peer addresses `wanted`, or finds it again. Returns the peer addresses to use: what
/// is stored goes before what is wanted.
///
/// # Errors
/// A message when it holds something else, or more nodes, or lacks the first one's data.
pub(super) async fn claim(disk: &Arc<dyn Disk>, dir: &Path, wanted: &[SocketAddr]) -> Result<Vec<SocketAddr>, String> {
    let shown = dir.display();
    let failed = |error: io::Error| format!("cannot use the directory {shown}: {error}");
    disk.create_dir("").await.map_err(failed)?;
    if has(disk, "", NODE_MARK).await.map_err(failed)? {
        return Err(format!(
            "{shown} holds the data of a single node: start it without --nodes, or name another --data-dir for the cluster"
        ));
    }
    let mut peers = read(disk).await.map_err(failed)?.unwrap_or_default();
    if peers.len() > wanted.len() {
        let known = peers.len();
        return Err(format!(
            "{shown} holds {known} nodes: start them with --nodes {known}, or name another --data-dir"
        ));
    }
    refuse_without_first(disk, dir, peers.len()).await?;
    let known = peers.len();
    peers.extend(&wanted[known..]);
    if peers.len() > known {
        store(disk, &peers).await.map_err(failed)?;
    }
    Ok(peers)
}

/// Refuses the directory of a cluster where a single node is to run.
pub(super) fn refuse_cluster(dir: &Path) -> Result<(), String> {
    let disk = env::real::blocking_disk(dir.to_owned());
    let found = env::real::run(read(&disk)).and_then(|found| found);
    match found {
        Ok(Some(peers)) => {
            let (shown, nodes) = (dir.display(), peers.len());
            Err(format!(
                "{shown} holds a cluster: start it with --nodes {nodes}, or name another --data-dir for the single node"
            ))
        }
        // Whatever else is wrong with the directory, the node says when it opens it.
        Ok(None) | Err(_) => Ok(()),
    }
}

/// A first node without data would found another cluster, of which the others know nothing.
async fn refuse_without_first(disk: &Arc<dyn Disk>, dir: &Path, known: usize) -> Result<(), String> {
    let holds = async |number: u8| has(disk, &name(number), NODE_MARK).await.unwrap_or(false);
    if holds(1).await {
        return Ok(());
    }
    for number in (2..).take(known.saturating_sub(1)) {
        if holds(number).await {
            let (first, other) = (folder(dir, 1), folder(dir, number));
            return Err(format!(
                "{} has no data, but {} has: bring it back, or remove {} to begin anew",
                first.display(),
                other.display(),
                dir.display()
            ));
        }
    }
    Ok(())
}

async fn has(disk: &Arc<dyn Disk>, folder: &str, name: &str) -> io::Result<bool> {
    match disk.list(folder).await {
        Ok(names) => Ok(names.iter().any(|found| found == name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

async fn read(disk: &Arc<dyn Disk>) -> io::Result<Option<Vec<SocketAddr>>> {
    match disk.open(FILE).await {
        Ok(file) => parse(&file.read_at(0, BYTES_MAX).await?).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn store(disk: &Arc<dyn Disk>, peers: &[SocketAddr]) -> io::Result<()> {
    // Left by a crash.
    match disk.remove(DRAFT).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(DRAFT).await?;
    file.write_at(0, vec![print(peers)]).await?;
    file.sync().await?;
    disk.rename(DRAFT, FILE).await?;
    disk.sync_dir("").await
}

fn print(peers: &[SocketAddr]) -> Bytes {
    let lines = (1..).zip(peers).map(|(number, peer)| format!("{} {peer}\n", name(number)));
    format!("{VERSION}\n{}", lines.collect::<String>()).into()
}

fn parse(bytes: &[u8]) -> io::Result<Vec<SocketAddr>> {
    let bad =
        || io::Error::new(io::ErrorKind::InvalidData, format!("the file {FILE} is damaged or of another version"));
    let text = std::str::from_utf8(bytes).map_err(|_| bad())?;
    let lines = text.strip_prefix(VERSION).and_then(|text| text.strip_prefix('\n')).ok_or_else(bad)?.lines();
    let peer = |(number, line): (u8, &str)| {
        let (found, peer) = line.split_once(' ')?;
        peer.parse().ok().filter(|_| found == name(number))
    };
    (1..).zip(lines).map(|line| peer(line).ok_or_else(bad)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(count: u16) -> Vec<SocketAddr> {
        (0..count).map(|number| SocketAddr::from(([127, 0, 0, 1], 4569 + 3 * number))).collect()
    }

    fn claim_in(dir: &Path, wanted: &[SocketAddr]) -> Result<Vec<SocketAddr>, String> {
        env::real::run(claim(&env::real::blocking_disk(dir.to_owned()), dir, wanted)).unwrap()
    }

    fn make(path: &Path) {
        let disk = env::real::blocking_disk(path.to_owned());
        let made = env::real::run(async {
            disk.create_dir("").await?;
            disk.create(NODE_MARK).await
        });
        drop(made.unwrap().unwrap());
    }

    #[test]
    fn what_is_printed_parses_and_anything_else_is_refused() {
        assert_eq!(parse(&print(&peers(3))).unwrap(), peers(3));
        for bad in ["", "thalweg dev cluster 2\n", "thalweg dev cluster 1\nnode-2 127.0.0.1:1\n"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_cluster_is_found_again_with_its_peer_addresses_and_may_grow_but_not_shrink() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("cluster");
        assert_eq!(claim_in(&dir, &peers(3)).unwrap(), peers(3));
        let others: Vec<_> = peers(5).iter().map(|peer| SocketAddr::new(peer.ip(), peer.port() + 100)).collect();
        assert_eq!(claim_in(&dir, &others[..3]).unwrap(), peers(3));
        let grown = [&peers(3)[..], &others[3..]].concat();
        assert_eq!(claim_in(&dir, &others).unwrap(), grown);
        assert!(claim_in(&dir, &peers(3)).unwrap_err().contains("start them with --nodes 5"));
    }

    #[test]
    fn a_single_nodes_directory_is_no_clusters_and_the_other_way_round() {
        let root = tempfile::tempdir().unwrap();
        let (single, cluster) = (root.path().join("single"), root.path().join("cluster"));
        make(&single);
        assert!(claim_in(&single, &peers(3)).unwrap_err().contains("holds the data of a single node"));
        assert_eq!(refuse_cluster(&single), Ok(()));
        assert_eq!(refuse_cluster(&root.path().join("none")), Ok(()));
        claim_in(&cluster, &peers(3)).unwrap();
        assert!(refuse_cluster(&cluster).unwrap_err().contains("start it with --nodes 3"));
    }

    #[test]
    fn a_cluster_whose_first_node_has_lost_its_data_is_refused() {
        let root = tempfile::tempdir().unwrap();
        claim_in(root.path(), &peers(3)).unwrap();
        claim_in(root.path(), &peers(3)).unwrap();
        make(&folder(root.path(), 3));
        assert!(claim_in(root.path(), &peers(3)).unwrap_err().contains("node-1 has no data"));
        make(&folder(root.path(), 1));
        claim_in(root.path(), &peers(3)).unwrap();
    }
}
