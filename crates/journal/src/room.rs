//! Room for the writer: spare files ahead of it, and what gives way when there are none.

use std::io;

use types::ReplicaId;

use crate::file::{JournalFile, Use};
use crate::flusher::{Flusher, Part, part_of, shortage};

/// Journal files kept ready beside the one being written.
const SPARE_FILES: usize = 2;

impl Flusher {
    /// Makes sure that the writer finds a file when its own is full. Returns false if the disk is too full for one.
    pub(crate) async fn make_spares(&mut self) -> bool {
        loop {
            {
                let pool = self.shared.pool.lock();
                if pool.spare.len() >= SPARE_FILES || pool.count >= self.shared.options.files_max {
                    return true;
                }
            }
            if !self.leaves_room_for_a_flush().await {
                return self.wait_out(&io::Error::from(io::ErrorKind::StorageFull).into());
            }
            let (number, generation) = {
                let mut pool = self.shared.pool.lock();
                pool.next_number += 1;
                pool.next_generation += 1;
                (pool.next_number - 1, pool.next_generation - 1)
            };
            let current = Use { generation, salt: self.shared.env.random.u64() };
            match JournalFile::create(&self.disk, number, self.shared.options.file_bytes, current).await {
                Ok(file) => self.add_spare(file, 1),
                Err(error) if shortage(&error).is_some() => return self.wait_out(&error),
                Err(error) => {
                    self.shared.env.spawn.abort(&format!("a journal file cannot be made: {error}")).await;
                }
            }
        }
    }

    /// Files that took the last space could never be recycled: what is in them would fit into no segment. With room for a segment, those
    /// that there are suffice, and trims and deletions go on. The first ones are made in any case: with less nothing goes on.
    async fn leaves_room_for_a_flush(&self) -> bool {
        let files = self.shared.pool.lock().count as u64 + 1;
        if files <= 1 + SPARE_FILES as u64 {
            return true;
        }
        let options = &self.shared.options;
        let needed = options.file_bytes + (files * options.file_bytes).min(options.tail_budget_bytes);
        // Where the free space cannot be read, making the file shows whether there is enough.
        self.disk.free_bytes().await.map_or(true, |free| free >= needed)
    }

    pub(crate) fn add_spare(&self, file: JournalFile, made: usize) {
        let mut pool = self.shared.pool.lock();
        pool.count += made;
        pool.spare.push_back(file);
        drop(pool);
        self.shared.spare_made.notify_one();
    }

    /// When the writer waits for the oldest file, the entries in it that nobody has applied move into the checkpoints. A group without a quorum
    /// would otherwise hold up all others of the node, and with them its own votes.
    pub(crate) fn carry_unapplied(&self, parts: &[Part]) {
        let Some(oldest) = self.shared.pool.lock().oldest_awaited(self.is_short, self.shared.options.files_max) else {
            return;
        };
        let groups: Vec<_> = self.shared.groups.lock().values().cloned().collect();
        let next_lsn = self.shared.next_lsn();
        for group in groups {
            let mut inner = group.inner.lock();
            let flushed = part_of(parts, &group).map(|part| part.flushed);
            let item = inner.needed_item_after(flushed).filter(|item| self.shared.lsn_of(*item) <= oldest);
            if inner.dropped || inner.damaged.is_some() || item.is_none() {
                continue;
            }
            let entries = inner.carry(flushed, |item| self.shared.lsn_of(item) < next_lsn);
            tracing::debug!(group = %group.id, entries, "unapplied entries move into the checkpoints");
        }
    }

    /// The journal keeps what it holds of groups that do not serve here, since it may be of use once what they miss is back. When all files
    /// are in use and such groups alone keep the oldest one, they give way: all groups share the journal, and none could write any
    /// more. The checkpoint that lets their frames go says so, and they never serve on this node again.
    pub(crate) fn let_go_of_held(&self, parts: &[Part]) {
        let Some(oldest) = self.shared.pool.lock().oldest_awaited(false, self.shared.options.files_max) else { return };
        let groups: Vec<_> = self.shared.groups.lock().values().cloned().collect();
        let mut held = Vec::new();
        for group in groups {
            let inner = group.inner.lock();
            let item = inner.needed_item_after(part_of(parts, &group).map(|part| part.flushed));
            if inner.dropped || item.is_none_or(|item| self.shared.lsn_of(item) > oldest) {
                continue;
            }
            // One that may yet be applied needs the file as well.
            if inner.damaged.is_none() || ReplicaId::is_of_catalog(group.id) {
                return;
            }
            drop(inner);
            held.push(group);
        }
        for group in held {
            let freed = group.inner.lock().let_go();
            self.shared.tail_shrank(freed);
            tracing::error!(group = %group.id, "the journal needed the space of a group that does not serve here; it never will");
        }
    }
}
