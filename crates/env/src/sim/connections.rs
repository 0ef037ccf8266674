use std::collections::BTreeMap;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::TcpStream;

/// A connection that both its [`SimStream`] and the process' table may close.
type Slot = Arc<Mutex<Option<TcpStream>>>;

/// All connections of one process, so that they close in the order they were made when it crashes.
///
/// A runtime that is dropped drops its tasks in an order that depends on how many tasks this whole test program has spawned before
/// (tokio shards them by a global number). Each dropped connection tells its peer, after a random latency: without this table two runs
/// of a seed would draw those in different orders.
#[derive(Clone, Default)]
pub(super) struct Connections {
    table: Arc<Mutex<Table>>,
    ending: Arc<AtomicBool>,
}

#[derive(Default)]
struct Table {
    open: BTreeMap<u64, Slot>,
    next: u64,
}

impl Connections {
    /// From now on the first connection that is dropped takes all others with it.
    pub(super) fn end_with_the_first(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    pub(super) fn add(&self, stream: TcpStream) -> SimStream {
        let slot = Arc::new(Mutex::new(Some(stream)));
        let mut table = self.table.lock();
        let number = table.next;
        table.next += 1;
        table.open.insert(number, Arc::clone(&slot));
        SimStream { slot, number, connections: self.clone() }
    }

    fn close(&self, number: u64) {
        let closed = if self.ending.load(Ordering::Relaxed) {
            std::mem::take(&mut self.table.lock().open)
        } else {
            self.table.lock().open.remove(&number).map(|slot| (number, slot)).into_iter().collect()
        };
        for slot in closed.into_values() {
            // Bound first: the stream is dropped, and tells its peer, with no lock held.
            let stream = slot.lock().take();
            drop(stream);
        }
    }
}

/// A simulated connection.
pub(super) struct SimStream {
    slot: Slot,
    number: u64,
    connections: Connections,
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.connections.close(self.number);
    }
}

impl SimStream {
    fn poll_with<T>(&self, poll: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &mut *self.slot.lock() {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(ErrorKind::ConnectionAborted.into())),
        }
    }
}

impl AsyncRead for SimStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_with(|stream| stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(|stream| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_with(|stream| stream.poll_write_vectored(context, slices))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_with(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_with(|stream| stream.poll_shutdown(context))
    }
}
