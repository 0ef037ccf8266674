//! Who the node is whose data directory this is: the file `NODE`.
//!
//! A directory is drawn a random identity at its first use. A node with another directory, also an emptied one, is another node to its
//! cluster, since it has forgotten what it has promised and stored.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use env::{Disk, Env};

const FILE: &str = "NODE";
const DRAFT: &str = "NODE.new";
const MISSING: &str = "the file NODE is missing, which says whose data this is: put it back from a copy; without one, replace \
                       this node by one with an empty directory";
/// The first line; another version is refused.
const VERSION: &str = "thalweg node 1";

/// The identity of the data directory; drawn and made durable if it has none, and `is_new`: holds no data.
///
/// # Errors
/// Of the disk, and `InvalidData` when the file is not one of this version, or missing beside data, to which it belongs.
pub(crate) async fn incarnation(env: &Env, is_new: bool) -> io::Result<u128> {
    let disk = &env.disk;
    disk.create_dir("").await?;
    match disk.open(FILE).await {
        Ok(file) => {
            let length = file.len().await?;
            parse(&file.read_at(0, length.min(1 << 10) as usize).await?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !is_new {
                return Err(io::Error::new(io::ErrorKind::InvalidData, MISSING));
            }
            let drawn = u128::from(env.random.u64()) << 64 | u128::from(env.random.u64());
            store(disk, drawn).await?;
            Ok(drawn)
        }
        Err(error) => Err(error),
    }
}

async fn store(disk: &Arc<dyn Disk>, incarnation: u128) -> io::Result<()> {
    // Left by a crash.
    match disk.remove(DRAFT).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(DRAFT).await?;
    file.write_at(0, vec![print(incarnation)]).await?;
    file.sync().await?;
    disk.rename(DRAFT, FILE).await?;
    disk.sync_dir("").await
}

fn print(incarnation: u128) -> Bytes {
    format!("{VERSION}\n{incarnation:032x}\n").into()
}

fn parse(bytes: &[u8]) -> io::Result<u128> {
    let text = std::str::from_utf8(bytes).ok();
    let number = text.and_then(|text| text.strip_prefix(VERSION)?.strip_prefix('\n')?.strip_suffix('\n'));
    let number = number.filter(|number| number.len() == 32).and_then(|number| u128::from_str_radix(number, 16).ok());
    number.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("the file {FILE} is damaged or of another version"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};

    fn world(start: u64, disk: &FaultDisk) -> Env {
        sim::env(start, SimClock::new(0), disk.mount(), ProcessEnd::default())
    }

    #[tokio::test]
    async fn a_directory_keeps_its_identity_over_power_loss_and_another_has_another() {
        for seed in 0..20 {
            let disk = FaultDisk::new(seed, FaultPlan::default());
            let first = incarnation(&world(1, &disk), true).await.unwrap();
            disk.power_loss();
            assert_eq!(incarnation(&world(2, &disk), false).await.unwrap(), first);
            let other = FaultDisk::new(seed, FaultPlan::default());
            let missing = incarnation(&world(3, &other), false).await.unwrap_err();
            assert_eq!(missing.kind(), io::ErrorKind::InvalidData);
            assert_ne!(incarnation(&world(4, &other), true).await.unwrap(), first);
        }
    }

    #[test]
    fn what_is_printed_parses_and_anything_else_is_refused() {
        assert_eq!(parse(&print(7)).unwrap(), 7);
        assert_eq!(parse(&print(u128::MAX)).unwrap(), u128::MAX);
        for bad in ["", "thalweg node 2\n", "thalweg node 1\n7\n", "thalweg node 1\n0000000000000000000000000000000g\n"]
        {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
