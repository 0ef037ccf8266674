use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a request counts before its body: its head, its task and its buffers. So the number of requests in memory is bounded too.
pub(crate) const REQUEST_BYTES: usize = 4 << 10;

/// Bytes that requests and replies may hold in memory together.
#[derive(Clone)]
pub(crate) struct Budget {
    free: Arc<Semaphore>,
    total: usize,
}

/// A part of the budget, given back on drop.
pub(crate) struct Lease(OwnedSemaphorePermit);

/// The budget is used up.
pub(crate) struct Exhausted;

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let total = bytes.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(total)), total }
    }

    /// The share of a request without body. Never waits: who is refused is told so at once.
    pub(crate) fn request(&self) -> Result<Lease, Exhausted> {
        self.take(REQUEST_BYTES)
    }

    pub(crate) fn take(&self, bytes: usize) -> Result<Lease, Exhausted> {
        let bytes = u32::try_from(bytes).map_err(|_| Exhausted)?;
        Arc::clone(&self.free).try_acquire_many_owned(bytes).map(Lease).map_err(|_| Exhausted)
    }

    /// Bytes that are taken now.
    pub(crate) fn used(&self) -> usize {
        self.total - self.free.available_permits()
    }
}

impl Lease {
    /// Bytes that are held.
    pub(crate) fn bytes(&self) -> usize {
        self.0.num_permits()
    }

    /// Gives back all but `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let excess = self.bytes().saturating_sub(bytes);
        // There are as many: it is dropped at once.
        drop(self.0.split(excess));
    }

    /// Adds `more`, a lease of the same budget.
    pub(crate) fn add(&mut self, more: Lease) {
        self.0.merge(more.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_missing_until_the_lease_is_dropped() {
        let budget = Budget::new(10_000);
        let mut lease = budget.request().ok().unwrap();
        lease.add(budget.take(5_000).ok().unwrap());
        assert_eq!(budget.used(), 9_096);
        assert!(budget.take(1_000).is_err());
        assert!(budget.take(usize::MAX).is_err());
        lease.shrink(100);
        assert_eq!((lease.bytes(), budget.used()), (100, 100));
        lease.shrink(200);
        assert_eq!(lease.bytes(), 100);
        drop(lease);
        assert_eq!(budget.used(), 0);
        assert!(budget.take(10_000).is_ok());
    }
}
