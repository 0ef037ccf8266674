use std::sync::Arc;

use telemetry::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Options;

/// Room for the bytes and calls that may be in flight on one side of one connection.
///
/// A message counts its bytes, at least an even share of the whole, so that the number of calls is bounded by the same waiting line;
/// at most the whole, so that a message larger than all the room passes alone.
pub(crate) struct Room {
    free: Arc<Semaphore>,
    total: usize,
    share_min: usize,
    gauge: IntGauge,
}

/// A message's part of the room, given back on drop.
pub(crate) struct Lease {
    permit: OwnedSemaphorePermit,
    bytes: i64,
    gauge: IntGauge,
}

impl Room {
    pub(crate) fn new(options: &Options, gauge: &IntGauge) -> Self {
        // A semaphore gives at most this many permits at once.
        let total = options.in_flight_bytes_max.clamp(1, (u32::MAX as usize).min(Semaphore::MAX_PERMITS));
        let share_min = (total / options.calls_max.max(1)).max(1);
        Self { free: Arc::new(Semaphore::new(total)), total, share_min, gauge: gauge.clone() }
    }

    /// Waits for room for a message of `bytes`, behind whoever waits already. `None` once the room is closed.
    pub(crate) async fn take(&self, bytes: usize) -> Option<Lease> {
        let charged = bytes.clamp(self.share_min, self.total);
        let charged = u32::try_from(charged).expect("the whole room has 32 bits");
        let permit = Arc::clone(&self.free).acquire_many_owned(charged).await.ok()?;
        Some(Lease::new(permit, bytes, &self.gauge))
    }

    /// Adds an answer of `bytes` to the lease of its call, as far as there is room: it is in memory already, and waiting for room
    /// while holding some could last for ever. Until it has left, less room is free for further calls.
    pub(crate) fn add(&self, lease: &mut Lease, bytes: usize) {
        let charged = u32::try_from(bytes.min(self.free.available_permits())).unwrap_or(u32::MAX);
        if let Ok(more) = Arc::clone(&self.free).try_acquire_many_owned(charged) {
            lease.permit.merge(more);
        }
        lease.add_bytes(bytes);
    }

    /// Sends everyone away who waits or comes later.
    pub(crate) fn close(&self) {
        self.free.close();
    }
}

impl Lease {
    fn new(permit: OwnedSemaphorePermit, bytes: usize, gauge: &IntGauge) -> Self {
        let mut lease = Lease { permit, bytes: 0, gauge: gauge.clone() };
        lease.add_bytes(bytes);
        lease
    }

    fn add_bytes(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.bytes += bytes;
        self.gauge.add(bytes);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.gauge.sub(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use telemetry::Telemetry;

    use super::*;

    fn room(in_flight_bytes_max: usize, calls_max: usize) -> Room {
        let options = Options { in_flight_bytes_max, calls_max, ..Options::default() };
        Room::new(&options, &Telemetry::new().transport_in_flight_bytes)
    }

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn now(room: &Room, bytes: usize) -> Option<Lease> {
        match poll(std::pin::pin!(room.take(bytes))) {
            Poll::Ready(lease) => lease,
            Poll::Pending => None,
        }
    }

    #[test]
    fn bytes_and_calls_are_bounded_and_given_back() {
        let room = room(1_000, 4);
        let large = now(&room, 900).unwrap();
        assert!(now(&room, 101).is_none() && room.gauge.get() == 900);
        drop(large);
        let small: Vec<Lease> = (0..4).map(|_| now(&room, 1).unwrap()).collect();
        assert!(now(&room, 1).is_none(), "a fifth call");
        assert_eq!(room.gauge.get(), 4);
        drop(small);
        assert_eq!(room.gauge.get(), 0);
    }

    #[test]
    fn what_is_larger_than_the_room_passes_alone() {
        let room = room(1_000, 4);
        let huge = now(&room, 5_000).unwrap();
        assert!(now(&room, 1).is_none());
        drop(huge);
        let one = now(&room, 1).unwrap();
        let mut waiting = std::pin::pin!(room.take(5_000));
        assert!(poll(waiting.as_mut()).is_pending());
        assert!(now(&room, 1).is_none(), "who came later must not overtake");
        drop(one);
        assert!(poll(waiting.as_mut()).is_ready());
    }

    #[test]
    fn an_answer_counts_as_far_as_there_is_room() {
        let room = room(1_000, 4);
        let mut lease = now(&room, 300).unwrap();
        room.add(&mut lease, 5_000);
        assert_eq!(room.gauge.get(), 5_300);
        assert!(now(&room, 1).is_none());
        drop(lease);
        assert_eq!((room.gauge.get(), room.free.available_permits()), (0, 1_000));
    }

    #[test]
    fn a_closed_room_sends_away_who_waits() {
        let room = room(1_000, 4);
        let _all = now(&room, 1_000).unwrap();
        let mut waiting = std::pin::pin!(room.take(1));
        assert!(poll(waiting.as_mut()).is_pending());
        room.close();
        assert!(matches!(poll(waiting.as_mut()), Poll::Ready(None)));
    }
}
