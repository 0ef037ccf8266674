use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use env::{BoxFuture, Clock, Stream};
use telemetry::IntCounter;
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::frame::Header;
use crate::lost::Lost;
use crate::room::Lease;
use crate::shared::Shared;

/// Messages that are taken from the queue at once, and slices that are given to the system at once. Enough to make system calls
/// rare beside the messages; a large message fills a call by itself.
const MESSAGES_PER_TURN: usize = 64;
const SLICES_PER_WRITE: usize = 64;

/// A message on its way out. Its lease ends when it has left, or with the connection.
pub(crate) struct Outgoing {
    /// What is still to be written; none of it is empty.
    parts: VecDeque<Bytes>,
    _lease: Option<Arc<Lease>>,
}

impl Outgoing {
    /// A message of `header`, `head` and `body`, which are what the header was made for.
    pub(crate) fn new(header: &Header, head: &[u8], body: Vec<Bytes>, lease: Option<Arc<Lease>>) -> Self {
        let mut parts = VecDeque::with_capacity(1 + body.len());
        parts.push_back(header.encode(head));
        parts.extend(body.into_iter().filter(|part| !part.is_empty()));
        Self { parts, _lease: lease }
    }
}

/// The outgoing half of a connection. Its queue is unbounded by itself: everything in it has its place in a [`crate::room`], and
/// refusals are answers to what has.
pub(crate) struct Writer {
    half: WriteHalf<Box<dyn Stream>>,
    queue: UnboundedReceiver<Outgoing>,
    turn: VecDeque<Outgoing>,
    sent: IntCounter,
    pace: Pace,
    /// Whether something was written since the pace's timer last fired.
    wrote: bool,
}

/// A timer that fires every `idle_ping`, for whatever the writer waits for.
struct Pace {
    clock: Arc<dyn Clock>,
    idle_ping: Duration,
    timer: BoxFuture<'static, ()>,
    /// Times it may fire during one write, if there is a bound.
    stalls_max: Option<u32>,
}

impl Pace {
    fn new(shared: &Shared, stall_max: Option<Duration>) -> Self {
        let idle_ping = shared.options.idle_ping.max(Duration::from_millis(1));
        let stalls = |stall: Duration| u32::try_from(stall.as_millis() / idle_ping.as_millis()).unwrap_or(u32::MAX);
        Self {
            clock: Arc::clone(&shared.env.clock),
            idle_ping,
            timer: shared.env.clock.sleep(idle_ping),
            stalls_max: stall_max.map(stalls),
        }
    }

    async fn tick(&mut self) {
        (&mut self.timer).await;
        self.timer = self.clock.sleep(self.idle_ping);
    }

    /// What `write` gives, unless it takes too long.
    async fn bound<T>(&mut self, write: impl Future<Output = io::Result<T>>) -> Result<T, Lost> {
        let mut write = std::pin::pin!(write);
        let mut stalls = 0;
        loop {
            tokio::select! {
                biased;
                written = &mut write => return Ok(written?),
                () = self.tick() => {
                    stalls += 1;
                    if self.stalls_max.is_some_and(|stalls_max| stalls > stalls_max) {
                        return Err(Lost::Stalled);
                    }
                }
            }
        }
    }
}

impl Writer {
    /// With `stall_max`, a write that gets no byte out for that long ends the connection. Only for who answers: a called node that
    /// works slowly stops reading, and still says that it lives.
    pub(crate) fn new(
        shared: &Shared,
        half: WriteHalf<Box<dyn Stream>>,
        queue: UnboundedReceiver<Outgoing>,
        stall_max: Option<Duration>,
    ) -> Self {
        Self {
            half,
            queue,
            turn: VecDeque::new(),
            sent: shared.meters.sent_bytes.clone(),
            pace: Pace::new(shared, stall_max),
            wrote: false,
        }
    }

    /// Writes what is queued, in order, until the connection is lost.
    pub(crate) async fn run(&mut self) -> Lost {
        loop {
            let step = if self.turn.is_empty() { self.gather().await } else { self.write().await };
            if let Err(lost) = step {
                return lost;
            }
        }
    }

    /// Waits for something to be written.
    async fn gather(&mut self) -> Result<(), Lost> {
        self.pace.bound(self.half.flush()).await?;
        let mut taken = Vec::new();
        tokio::select! {
            biased;
            count = self.queue.recv_many(&mut taken, MESSAGES_PER_TURN) => {
                if count == 0 {
                    return Err(Lost::Closed);
                }
            }
            () = self.pace.tick() => {
                if !std::mem::take(&mut self.wrote) {
                    taken.push(Outgoing::new(&Header::PING, b"", Vec::new(), None));
                }
            }
        }
        self.turn.extend(taken);
        Ok(())
    }

    /// One write of as much as waits.
    async fn write(&mut self) -> Result<(), Lost> {
        while self.turn.len() < MESSAGES_PER_TURN
            && let Ok(message) = self.queue.try_recv()
        {
            self.turn.push_back(message);
        }
        let mut slices = [IoSlice::new(b""); SLICES_PER_WRITE];
        let parts = self.turn.iter().flat_map(|message| &message.parts);
        let mut count = 0;
        for (slice, part) in slices.iter_mut().zip(parts) {
            *slice = IoSlice::new(part);
            count += 1;
        }
        let written = self.pace.bound(self.half.write_vectored(&slices[..count])).await?;
        if written == 0 {
            return Err(Lost::Io(io::ErrorKind::WriteZero.into()));
        }
        self.sent.inc_by(written as u64);
        self.wrote = true;
        advance(&mut self.turn, written);
        Ok(())
    }
}

/// Takes `written` bytes off the front, and with them the messages that have left.
fn advance(turn: &mut VecDeque<Outgoing>, mut written: usize) {
    while let Some(message) = turn.front_mut() {
        while let Some(part) = message.parts.front_mut() {
            let taken = written.min(part.len());
            part.advance(taken);
            written -= taken;
            if !part.is_empty() {
                return;
            }
            message.parts.pop_front();
        }
        turn.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(parts: &[&'static [u8]]) -> Outgoing {
        Outgoing { parts: parts.iter().map(|part| Bytes::from_static(part)).collect(), _lease: None }
    }

    #[test]
    fn a_partial_write_leaves_exactly_the_rest() {
        let whole = b"header1body1body2header2header3body3";
        for written in 0..=whole.len() {
            let mut turn: VecDeque<Outgoing> =
                [message(&[b"header1", b"body1", b"body2"]), message(&[b"header2"]), message(&[b"header3", b"body3"])]
                    .into();
            advance(&mut turn, written);
            let left: Vec<u8> = turn.iter().flat_map(|message| &message.parts).flatten().copied().collect();
            assert_eq!(left, &whole[written..], "after {written} bytes");
            let messages = [17, 24, 36].iter().filter(|end| **end > written).count();
            assert_eq!(turn.len(), messages, "after {written} bytes");
        }
    }
}
