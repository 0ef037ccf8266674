//! The one thread that writes: takes everything that waits, writes it as one block, syncs once, then calls back in order.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use types::planted::{self, Bug};

use crate::block::{self, BlockPlace};
use crate::file::{HEADER_BYTES, JournalFile};
use crate::frame::Frame;
use crate::queue::{FlushCallback, Item};
use crate::shared::{Shared, UsedFile};

/// Where the next block goes.
pub(crate) struct WritePosition {
    pub(crate) file: JournalFile,
    pub(crate) offset: u64,
}

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) position: WritePosition,
}

impl Writer {
    /// Runs until the queue is closed and empty. Ends with a block that says that all before it is synced, so that damage to the
    /// last block of a stopped node is told from a torn write.
    pub(crate) async fn run(mut self) {
        while let Some(items) = self.shared.queue.take(self.shared.options.block_bytes_max).await {
            self.write_items(items).await;
        }
        // Not worth waiting for another file: the last checkpoint names the log's end too. A node that did not serve since something is
        // missing leaves everything as it is: what is missing may be put back.
        let is_frozen = self.shared.frozen.load(Ordering::Relaxed);
        if !is_frozen && self.position.offset + block::ALIGNMENT <= self.position.file.bytes {
            self.write_block(&[], 0).await;
        }
        self.shared.note_ended();
    }

    async fn write_items(&mut self, items: Vec<Item>) {
        let mut batch = Batch::default();
        for item in items {
            // A block must fit into one file, as each item does.
            let bytes = block::body_len(&item.frames);
            if !batch.frames.is_empty() && batch.bytes + bytes > self.shared.options.body_bytes_max() {
                self.write_batch(std::mem::take(&mut batch)).await;
            }
            batch.bytes += bytes;
            batch.frames.extend(item.frames);
            batch.end = item.number + 1;
            batch.callbacks.extend(item.done);
        }
        self.write_batch(batch).await;
    }

    async fn write_batch(&mut self, batch: Batch) {
        if planted::active(Bug::AcknowledgeBeforeSync) {
            batch.callbacks.into_iter().for_each(|done| done(Ok(())));
            self.write_block(&batch.frames, batch.end).await;
            return;
        }
        self.write_block(&batch.frames, batch.end).await;
        batch.callbacks.into_iter().for_each(|done| done(Ok(())));
    }

    /// Writes and syncs one block with the queue's items below `end`.
    async fn write_block(&mut self, frames: &[Frame], end: u64) {
        let stored = block::stored_len(block::body_len(frames));
        if self.position.offset + stored > self.position.file.bytes {
            self.next_file().await;
        }
        assert!(self.position.offset + stored <= self.position.file.bytes, "the block does not fit into a file");
        let lsn = self.shared.next_lsn();
        self.shared.begin_block(lsn, end);
        let current = self.position.file.current;
        let place = BlockPlace { salt: current.salt, generation: current.generation, lsn, synced_lsn: lsn - 1 };
        let slices = block::encode(place, frames);
        let started = self.shared.env.clock.monotonic();
        if let Err(error) = self.write_and_sync(slices).await {
            self.give_up(error).await;
        }
        self.shared.end_block(lsn, frames.len());
        if self.position.offset == HEADER_BYTES {
            self.shared.files_begun.fetch_add(1, Ordering::Release);
            self.shared.flusher_wake.notify_one();
        }
        self.position.offset += stored;
        self.observe(frames.len(), stored, self.shared.env.clock.monotonic() - started);
    }

    async fn write_and_sync(&self, slices: Vec<Bytes>) -> io::Result<()> {
        let file = &self.position.file.file;
        file.write_at(self.position.offset, slices).await?;
        file.sync().await
    }

    /// After a failed write or sync nobody knows what is on disk, and nothing that waits may be acknowledged.
    async fn give_up(&self, error: io::Error) -> Infallible {
        tracing::error!(%error, "the journal cannot be written");
        self.shared.env.spawn.abort(&format!("the journal cannot be written: {error}")).await
    }

    fn observe(&self, frames: usize, bytes: u64, took: std::time::Duration) {
        let telemetry = &self.shared.telemetry;
        telemetry.journal_syncs.inc();
        telemetry.journal_blocks.inc();
        telemetry.journal_frames.inc_by(frames as u64);
        telemetry.journal_written_bytes.inc_by(bytes);
        telemetry.journal_sync_seconds.observe(took.as_secs_f64());
    }

    /// Goes on in a spare file; waits for one if the flusher has not made one yet.
    async fn next_file(&mut self) {
        let next = loop {
            let made = self.shared.spare_made.notified();
            if let Some(file) = self.shared.pool.lock().spare.pop_front() {
                break file;
            }
            self.shared.flusher_wake.notify_one();
            tracing::debug!("all journal files are in use: waiting for one");
            made.await;
        };
        let full = std::mem::replace(&mut self.position, WritePosition { file: next, offset: HEADER_BYTES });
        let last_lsn = self.shared.next_lsn() - 1;
        self.shared.pool.lock().used.push_back(UsedFile { file: full.file, last_lsn });
        self.shared.flusher_wake.notify_one();
    }
}

#[derive(Default)]
struct Batch {
    frames: Vec<Frame>,
    callbacks: Vec<FlushCallback>,
    bytes: u64,
    /// The number after the last item.
    end: u64,
}
