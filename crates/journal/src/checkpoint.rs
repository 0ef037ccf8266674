//! The checkpoint: everything small that recovery needs beside the journal's newest part.
//!
//! Written whole at each flush under a new name: draft, sync, rename, directory sync. It lists the segments, so that a missing one
//! is noticed, and holds each group's hard state, so that journal files with old votes can be recycled.
//! Layout: `magic u64, version u32, crc32c u32, length u64`, then the structure in bincode.

use std::io;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use env::{Disk, File};
use serde::{Deserialize, Serialize};

use crate::{Damage, Error, LogId, Vote, layout};

const MAGIC: u64 = u64::from_le_bytes(*b"THALWEGC");
const VERSION: u32 = 3;
const HEADER_LEN: usize = 24;
const ENDING: &str = "checkpoint";

/// A state with the entry it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateAt {
    pub(crate) log_id: LogId,
    pub(crate) state: Vec<u8>,
}

/// One group's hard state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupFields {
    pub(crate) group: u64,
    pub(crate) vote: Option<Vote>,
    pub(crate) committed: Option<LogId>,
    pub(crate) purged: Option<LogId>,
    /// The last entry that is in a segment.
    pub(crate) flushed: Option<LogId>,
    /// The state machine's state there, if it gives one.
    pub(crate) state: Option<Vec<u8>>,
    /// The end of the record numbers and the newest arrival in ms there.
    pub(crate) tip: (u64, u64),
    pub(crate) snapshot: Option<StateAt>,
    /// What of the group's journal was found damaged, or let go: the files that showed it are recycled, and without this mark the group
    /// would come back as a shorter one.
    pub(crate) lost: Option<String>,
    /// Entries behind `flushed` that the journal need not keep any more, as frames one after another: see [`crate::group::Inner::carry`].
    pub(crate) carried: Vec<u8>,
}

/// The whole checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) number: u64,
    /// Everything in older blocks is in the segments or in this checkpoint.
    pub(crate) replay_lsn: u64,
    /// The newest block with frames in it that was known to be synced: a log that ends before it has lost something. The last checkpoint
    /// of a node that stops names the log's very end.
    pub(crate) synced_lsn: u64,
    /// Greater than the generation of every file ever used.
    pub(crate) next_generation: u64,
    pub(crate) next_segment: u64,
    pub(crate) segments: Vec<u64>,
    pub(crate) groups: Vec<GroupFields>,
}

impl Checkpoint {
    fn encode(&self) -> Bytes {
        let body = crate::stored::encode(self);
        let mut out = Vec::with_capacity(HEADER_LEN + body.len());
        out.put_u64_le(MAGIC);
        out.put_u32_le(VERSION);
        out.put_u32_le(crc32c::crc32c(&body));
        out.put_u64_le(body.len() as u64);
        out.extend_from_slice(&body);
        out.into()
    }

    fn decode(mut bytes: Bytes) -> Option<Self> {
        if bytes.len() < HEADER_LEN || bytes.get_u64_le() != MAGIC || bytes.get_u32_le() != VERSION {
            return None;
        }
        let crc = bytes.get_u32_le();
        let length = bytes.get_u64_le();
        if bytes.len() as u64 != length || crc32c::crc32c(&bytes) != crc {
            return None;
        }
        crate::stored::decode(&bytes)
    }

    /// Makes the checkpoint durable under its number. An older one stays until [`Self::remove_older`].
    ///
    /// # Errors
    /// With `StorageFull` nothing has changed; after any other error the checkpoint may or may not be in force.
    pub(crate) async fn write(&self, disk: &Arc<dyn Disk>) -> Result<(), Error> {
        let draft = layout::checkpoint_draft(self.number);
        let written = async {
            let file = create_anew(disk, &draft).await?;
            file.write_at(0, vec![self.encode()]).await?;
            file.sync().await?;
            disk.rename(&draft, &layout::checkpoint_file(self.number)).await
        };
        if let Err(error) = written.await {
            let _ = disk.remove(&draft).await;
            return Err(error.into());
        }
        // Whatever the reason: from here on nobody knows which checkpoint the next start finds.
        let named = disk.sync_dir(layout::CHECKPOINT_DIR).await;
        named.map_err(|error| Error::Io(io::Error::other(format!("the checkpoint's name cannot be synced: {error}"))))
    }

    /// The newest checkpoint. A draft is not one; one that was renamed was synced before, so if it cannot be read it is damaged.
    pub(crate) async fn newest(disk: &Arc<dyn Disk>) -> Result<Option<Self>, Error> {
        let names = disk.list(layout::CHECKPOINT_DIR).await?;
        let Some(number) = names.iter().filter_map(|name| layout::number_of(name, ENDING)).max() else {
            return Ok(None);
        };
        let path = layout::checkpoint_file(number);
        let file = disk.open(&path).await?;
        let bytes = file.read_at(0, file.len().await? as usize).await?;
        let what =
            "the newest checkpoint cannot be read, and without it nobody knows what this node stores; rebuild the node";
        let damage = || Error::Damaged(Damage { file: path.clone(), offset: 0, what: what.into() });
        Self::decode(bytes).map(Some).ok_or_else(damage)
    }

    /// Removes everything in the directory but this checkpoint.
    pub(crate) async fn remove_older(&self, disk: &Arc<dyn Disk>) -> Result<(), Error> {
        for name in disk.list(layout::CHECKPOINT_DIR).await? {
            if layout::number_of(&name, ENDING) != Some(self.number) {
                disk.remove(&format!("{}/{name}", layout::CHECKPOINT_DIR)).await?;
            }
        }
        Ok(())
    }
}

/// A draft of the same name may be left from a start whose leftovers were not removed.
async fn create_anew(disk: &Arc<dyn Disk>, path: &str) -> io::Result<Arc<dyn File>> {
    match disk.create(path).await {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove(path).await?;
            disk.create(path).await
        }
        created => created,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_and_any_flipped_byte_is_noticed() {
        let group = GroupFields {
            group: 4,
            vote: Some(Vote { term: 2, node: 1, committed: true }),
            committed: Some(LogId { term: 2, index: 8 }),
            purged: None,
            flushed: Some(LogId { term: 1, index: 7 }),
            state: Some(vec![1, 2, 3]),
            tip: (12, 34),
            snapshot: Some(StateAt { log_id: LogId { term: 1, index: 5 }, state: vec![9] }),
            lost: Some("a part".into()),
            carried: vec![7, 8],
        };
        let checkpoint = Checkpoint { number: 3, replay_lsn: 17, groups: vec![group], ..Checkpoint::default() };
        let bytes = checkpoint.encode();
        assert_eq!(Checkpoint::decode(bytes.clone()), Some(checkpoint));
        for at in 0..bytes.len() {
            let mut rotten = bytes.to_vec();
            rotten[at] ^= 4;
            assert_eq!(Checkpoint::decode(rotten.into()), None, "byte {at}");
        }
    }
}
