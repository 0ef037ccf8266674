//! Bounds in bytes.

use std::sync::Arc;

use telemetry::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many bytes may be held at once. Clones share them.
#[derive(Clone)]
pub(crate) struct Budget {
    free: Arc<Semaphore>,
    total: u32,
}

impl Budget {
    pub(crate) fn new(bytes: u32) -> Budget {
        Budget { free: Arc::new(Semaphore::new(bytes as usize)), total: bytes }
    }

    /// How many bytes there are in all.
    pub(crate) fn total(&self) -> u32 {
        self.total
    }

    /// What is larger than the whole budget takes all of it: it would never fit otherwise.
    fn permits(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total)
    }

    /// The bytes, if they are free at this moment.
    pub(crate) fn try_take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(self.permits(bytes)).ok()
    }

    /// The bytes as soon as they are free, in the order in which they were asked for.
    pub(crate) async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        // Fails only for a closed semaphore, which this one never is.
        Arc::clone(&self.free).acquire_many_owned(self.permits(bytes)).await.ok()
    }
}

/// Bytes that are held, shown in a gauge, until this is dropped.
pub(crate) struct Lease {
    permits: Vec<OwnedSemaphorePermit>,
    bytes: i64,
    gauge: IntGauge,
}

impl Lease {
    pub(crate) fn new(gauge: &IntGauge) -> Lease {
        Lease { permits: Vec::new(), bytes: 0, gauge: gauge.clone() }
    }

    /// Holds bytes that another budget of the lease counts already.
    pub(crate) fn hold(&mut self, permit: OwnedSemaphorePermit) {
        self.permits.push(permit);
    }

    /// Holds more.
    pub(crate) fn add(&mut self, permit: OwnedSemaphorePermit) {
        let bytes = permit.num_permits() as i64;
        self.bytes += bytes;
        self.gauge.add(bytes);
        self.permits.push(permit);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.gauge.sub(self.bytes);
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_missing_until_the_lease_is_dropped() {
        let telemetry = telemetry::Telemetry::new();
        let budget = Budget::new(100);
        let mut lease = Lease::new(&telemetry.put_queued_bytes);
        lease.add(budget.try_take(70).unwrap());
        assert!(budget.try_take(40).is_none());
        lease.add(budget.clone().try_take(30).unwrap());
        assert_eq!(telemetry.put_queued_bytes.get(), 100);
        drop(lease);
        assert_eq!(telemetry.put_queued_bytes.get(), 0);
        assert!(budget.try_take(100).is_some());
    }

    #[test]
    fn what_is_larger_than_the_budget_takes_all_of_it() {
        let budget = Budget::new(100);
        let all = budget.try_take(usize::MAX);
        assert!(all.is_some());
        assert!(budget.try_take(1).is_none());
    }
}
