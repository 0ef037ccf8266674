//! What waits to be written, in order, for all groups.

use std::io;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use types::GroupId;

use crate::frame::{Frame, FrameKind};
use crate::{Error, LogId};

/// Called once what it belongs to is durable, in the order of appending.
pub type FlushCallback = Box<dyn FnOnce(io::Result<()>) + Send>;

pub(crate) struct Item {
    /// Its place in the queue, over the journal's whole life.
    pub(crate) number: u64,
    pub(crate) frames: Vec<Frame>,
    pub(crate) done: Option<FlushCallback>,
}

impl Item {
    fn bytes(&self) -> u64 {
        self.frames.iter().map(|frame| frame.encoded_len() as u64).sum()
    }
}

#[derive(Default)]
struct Waiting {
    items: Vec<Item>,
    /// The newest committed position per group since the last block; it rides on the next one.
    committed: Vec<(GroupId, LogId)>,
    /// The number of the next item.
    next: u64,
    closed: bool,
}

/// The journal's queue. Bounded by its users: puts by admission, the rest by the number of groups.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

impl Queue {
    /// An empty queue whose first item has the number `first`.
    pub(crate) fn new(first: u64) -> Self {
        Self { waiting: Mutex::new(Waiting { next: first, ..Waiting::default() }), wake: Notify::new() }
    }

    /// Adds an item behind all others; returns its number.
    pub(crate) fn push(&self, frames: Vec<Frame>, done: Option<FlushCallback>) -> u64 {
        let mut waiting = self.waiting.lock();
        let number = waiting.next;
        waiting.next += 1;
        if waiting.closed {
            drop(waiting);
            if let Some(done) = done {
                done(Err(io::Error::new(io::ErrorKind::BrokenPipe, "the journal is closed")));
            }
            return number;
        }
        let was_empty = waiting.items.is_empty();
        waiting.items.push(Item { number, frames, done });
        drop(waiting);
        // The writer takes everything that waits, so only the first of a batch needs to wake it.
        if was_empty {
            self.wake.notify_one();
        }
        number
    }

    /// Adds one frame; the future completes once it is durable. It is in the queue when this returns.
    pub(crate) fn push_durable(&self, frame: Frame) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let (done, durable) = oneshot::channel();
        self.push(vec![frame], Some(Box::new(move |result| drop(done.send(result)))));
        async move { Ok(durable.await.map_err(|_| Error::Closed)??) }
    }

    /// Notes a committed position without asking for a write.
    pub(crate) fn note_committed(&self, group: GroupId, committed: LogId) {
        let mut waiting = self.waiting.lock();
        match waiting.committed.iter_mut().find(|(known, _)| *known == group) {
            Some((_, position)) => *position = committed,
            None => waiting.committed.push((group, committed)),
        }
    }

    /// Everything that waits, up to about `bytes_max`; `None` once the queue is closed and empty.
    pub(crate) async fn take(&self, bytes_max: u64) -> Option<Vec<Item>> {
        loop {
            let woken = self.wake.notified();
            {
                let mut waiting = self.waiting.lock();
                if !waiting.items.is_empty() {
                    return Some(waiting.take(bytes_max));
                }
                if waiting.closed {
                    return None;
                }
            }
            woken.await;
        }
    }

    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.wake.notify_one();
    }
}

impl Waiting {
    fn take(&mut self, bytes_max: u64) -> Vec<Item> {
        let mut bytes = 0;
        let mut count = 0;
        for item in &self.items {
            let next = bytes + item.bytes();
            if count > 0 && next > bytes_max {
                break;
            }
            bytes = next;
            count += 1;
        }
        let rest = self.items.split_off(count);
        let mut taken = std::mem::replace(&mut self.items, rest);
        let committed: Vec<_> = self
            .committed
            .drain(..)
            .map(|(group, position)| Frame::new(group, FrameKind::Committed, position, 0, bytes::Bytes::new()))
            .collect();
        if !committed.is_empty() {
            let number = taken.last().map_or(0, |item| item.number);
            taken.push(Item { number, frames: committed, done: None });
        }
        taken
    }
}
