//! What the flusher does with what nobody needs any more: segments are removed or punched, journal files recycled.

use std::io;

use crate::file::Use;
use crate::flusher::Flusher;
use crate::{Error, layout};

/// Files removed in one round. Removing a large one takes milliseconds, and a writer may wait for the round to end.
const REMOVED_AT_ONCE: usize = 8;

impl Flusher {
    /// Recycles the journal files behind the newest checkpoint, and notes what else it does not name.
    pub(crate) async fn clean_up(&mut self) -> Result<(), Error> {
        self.checkpoint.remove_older(&self.disk).await?;
        self.shared.forget_blocks(self.checkpoint.replay_lsn);
        {
            let mut segments = self.shared.segments.lock();
            let listed = &self.checkpoint.segments;
            let dead: Vec<u64> = segments.keys().filter(|id| !listed.contains(id)).copied().collect();
            dead.iter().for_each(|id| drop(segments.remove(id)));
            self.trash.extend(dead.into_iter().map(layout::segment_file));
        }
        self.punch_doomed().await;
        self.recycle().await
    }

    async fn recycle(&mut self) -> Result<(), Error> {
        loop {
            let (file, generation) = {
                let mut pool = self.shared.pool.lock();
                let done = pool.used.front().is_some_and(|used| used.last_lsn < self.checkpoint.replay_lsn);
                let Some(used) = done.then(|| pool.used.pop_front()).flatten() else { return Ok(()) };
                pool.next_generation += 1;
                (used.file, pool.next_generation - 1)
            };
            let salt = self.shared.env.random.u64();
            let file = file.recycle(Use { generation, salt }).await?;
            tracing::debug!(file = file.number, generation, "journal file recycled");
            self.add_spare(file, 0);
        }
    }

    async fn punch_doomed(&self) {
        let segments: Vec<_> = self.shared.segments.lock().values().cloned().collect();
        for segment in segments {
            if let Err(error) = segment.punch_doomed().await {
                tracing::warn!(%error, segment = segment.id, "the space of trimmed records cannot be given back");
            }
        }
    }

    /// Removes some of what no checkpoint names. What is left when the node stops, the next start finds again.
    pub(crate) async fn remove_trash(&mut self) -> Result<(), Error> {
        let some: Vec<_> = self.trash.drain(..self.trash.len().min(REMOVED_AT_ONCE)).collect();
        for path in &some {
            let removed = self.disk.remove(path).await;
            if let Some(id) = layout::segment_number(path) {
                self.shared.segment_files.forget(id);
            }
            match removed {
                Ok(()) => tracing::debug!(path, "segment removed"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(path, %error, "a file that nobody needs cannot be removed"),
            }
        }
        // Some file systems give the space back only then.
        if some.is_empty() { Ok(()) } else { Ok(self.disk.sync_dir(layout::SEGMENT_DIR).await?) }
    }
}
