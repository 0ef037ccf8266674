//! Which of its replicas of the catalog a node is at: the file `CATALOG`, which a node has that has once lost its data.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use env::Disk;

const FILE: &str = "CATALOG";
const DRAFT: &str = "CATALOG.new";
/// The first line; another version is refused.
const VERSION: &str = "thalweg catalog replica 1";

/// What the file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Generation {
    /// 0 where there is no file.
    pub(crate) number: u32,
    pub(crate) stage: Stage,
}

/// How far a node has got that starts over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// What is stored here is of an earlier one, and yet to be set aside.
    Clearing,
    /// Nothing is stored, and nothing has been promised.
    Empty,
    /// It has been let in again: from here on it is lost if nothing is stored.
    #[default]
    Entered,
    /// The cluster has given the node another one since: it has to start over.
    Superseded,
}

impl Stage {
    const ALL: [Stage; 4] = [Stage::Clearing, Stage::Empty, Stage::Entered, Stage::Superseded];

    fn as_str(self) -> &'static str {
        match self {
            Stage::Clearing => "clearing",
            Stage::Empty => "empty",
            Stage::Entered => "entered",
            Stage::Superseded => "superseded",
        }
    }
}

impl Generation {
    /// # Errors
    /// Of the disk, and `InvalidData` when the file is not one of this version.
    pub(crate) async fn load(disk: &Arc<dyn Disk>) -> io::Result<Generation> {
        match disk.open(FILE).await {
            Ok(file) => {
                let length = file.len().await?;
                parse(&file.read_at(0, length.min(1 << 10) as usize).await?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Generation::default()),
            Err(error) => Err(error),
        }
    }

    /// Durable on return.
    pub(crate) async fn store(self, disk: &Arc<dyn Disk>) -> io::Result<()> {
        // Left by a crash.
        match disk.remove(DRAFT).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = disk.create(DRAFT).await?;
        file.write_at(0, vec![Bytes::from(self.print())]).await?;
        file.sync().await?;
        disk.rename(DRAFT, FILE).await?;
        disk.sync_dir("").await
    }

    fn print(self) -> String {
        let line = format!("{} {}", self.number, self.stage.as_str());
        format!("{VERSION}\n{line} {:08x}\n", crc32c::crc32c(line.as_bytes()))
    }
}

fn parse(bytes: &[u8]) -> io::Result<Generation> {
    let text = std::str::from_utf8(bytes).ok();
    let line = text.and_then(|text| text.strip_prefix(VERSION)?.strip_prefix('\n')?.strip_suffix('\n'));
    let generation = line.and_then(|line| {
        let [number, word, _] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        let stage = Stage::ALL.into_iter().find(|stage| stage.as_str() == word)?;
        Some(Generation { number: number.parse().ok()?, stage })
    });
    // With a wrong number a replica would vote that has forgotten what it promised.
    generation.filter(|generation| generation.print().as_bytes() == bytes).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("the file {FILE} is damaged or of another version"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};

    #[tokio::test]
    async fn it_is_found_again_after_power_loss() {
        let disk = FaultDisk::new(1, FaultPlan::default());
        let world = |start| sim::env(start, SimClock::new(0), disk.mount(), ProcessEnd::default());
        assert_eq!(Generation::load(&world(1).disk).await.unwrap(), Generation::default());
        for (start, number, stage) in [(2, 1, Stage::Clearing), (3, 1, Stage::Empty), (4, 1, Stage::Entered)] {
            let generation = Generation { number, stage };
            generation.store(&world(start).disk).await.unwrap();
            disk.power_loss();
            assert_eq!(Generation::load(&world(9).disk).await.unwrap(), generation);
        }
    }

    #[test]
    fn no_flipped_bit_makes_another_number_of_it() {
        let sound = Generation { number: 12, stage: Stage::Clearing }.print().into_bytes();
        assert!(parse(&sound).is_ok());
        for bit in 0..sound.len() * 8 {
            let mut damaged = sound.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&damaged).is_err(), "bit {bit}");
        }
        assert!(parse(b"").is_err());
    }
}
