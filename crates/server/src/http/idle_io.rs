//! A connection that ends when nothing has moved on it for too long: half-open ones, clients that never read their answer, and
//! clients that connect and say nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use env::{BoxFuture, Clock, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) struct IdleIo {
    stream: Box<dyn Stream>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    /// By the monotonic clock.
    last_move: Duration,
    /// Set again only when it fires, which is far rarer than bytes move.
    timer: BoxFuture<'static, ()>,
}

impl IdleIo {
    pub(crate) fn new(stream: Box<dyn Stream>, clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        let (last_move, timer) = (clock.monotonic(), clock.sleep(timeout));
        Self { stream, clock, timeout, last_move, timer }
    }

    /// Passes `result` on; an error instead if it is pending and has been for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.last_move = self.clock.monotonic();
            return result;
        }
        while self.timer.as_mut().poll(context).is_ready() {
            let idle = self.clock.monotonic().saturating_sub(self.last_move);
            if idle >= self.timeout {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.timer = self.clock.sleep(self.timeout - idle);
        }
        Poll::Pending
    }
}

impl AsyncRead for IdleIo {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.watch(context, result)
    }
}

impl AsyncWrite for IdleIo {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch(context, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.watch(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
