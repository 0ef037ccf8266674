use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, MutexGuard, Notify, watch};

/// Lets proposals through, or holds them back while leadership moves.
pub(crate) struct Gate {
    closed: watch::Sender<bool>,
    inside: AtomicUsize,
    /// Told when nobody is inside.
    empty: Notify,
    alone: Mutex<()>,
}

/// A proposal on its way.
pub(crate) struct Inside<'a>(&'a Gate);

/// Nobody is inside, and nobody comes in, until it is dropped.
pub(crate) struct Closed<'a> {
    gate: &'a Gate,
    _alone: MutexGuard<'a, ()>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            closed: watch::Sender::new(false),
            inside: AtomicUsize::new(0),
            empty: Notify::new(),
            alone: Mutex::default(),
        }
    }
}

impl Gate {
    /// Waits only while the gate is closed.
    pub(crate) async fn pass(&self) -> Inside<'_> {
        loop {
            self.inside.fetch_add(1, Ordering::SeqCst);
            let inside = Inside(self);
            if !*self.closed.borrow() {
                return inside;
            }
            drop(inside);
            // Fails only if the sender is gone, and `self` holds it.
            let _ = self.closed.subscribe().wait_for(|closed| !closed).await;
        }
    }

    /// Closes the gate; completes when nobody is inside any more. Opens again if this is given up.
    pub(crate) async fn close(&self) -> Closed<'_> {
        let alone = self.alone.lock().await;
        let closed = Closed { gate: self, _alone: alone };
        self.closed.send_replace(true);
        loop {
            let empty = self.empty.notified();
            if self.inside.load(Ordering::SeqCst) == 0 {
                return closed;
            }
            empty.await;
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if self.0.inside.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.empty.notify_one();
        }
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.gate.closed.send_replace(false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn closing_waits_for_those_inside_and_keeps_out_those_who_come() {
        let gate = Arc::new(Gate::default());
        let (first, second) = (gate.pass().await, gate.pass().await);
        let closing = Arc::clone(&gate);
        let closer = tokio::spawn(async move {
            let _closed = closing.close().await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let started = tokio::time::timeout(Duration::from_secs(1), gate.pass()).await;
        assert!(started.is_err(), "nobody comes in while it is being closed");
        drop((first, second));
        assert!(tokio::time::timeout(Duration::from_secs(4), gate.pass()).await.is_err(), "nor while it is closed");
        closer.await.unwrap();
        drop(gate.pass().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_closing_that_is_given_up_opens_again() {
        let gate = Gate::default();
        let inside = gate.pass().await;
        assert!(tokio::time::timeout(Duration::from_secs(1), gate.close()).await.is_err());
        drop(gate.pass().await);
        drop(inside);
        drop(gate.close().await);
        drop(gate.pass().await);
    }
}
