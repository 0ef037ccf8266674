use std::convert::Infallible;
use std::sync::Arc;

use parking_lot::Mutex;

use super::connections::Connections;
use crate::{BoxFuture, Spawn};

/// Where a simulated process' abort is seen: the simulation holds a clone, one for each start of the process.
///
/// A panic in a task counts as an abort, since the released program aborts on panics.
#[derive(Clone)]
pub struct ProcessEnd {
    inner: Arc<Inner>,
}

struct Inner {
    reason: Mutex<Option<String>>,
    at_end: Box<dyn Fn(&str) + Send + Sync>,
    connections: Connections,
}

impl ProcessEnd {
    /// An end that has not come yet. `at_end` is called once, with the reason, at the very moment of the abort: a real process does
    /// nothing afterwards, so the simulation should cut this one off its disk there ([`super::FaultDisk::process_crash`]).
    pub fn new(at_end: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let inner = Inner { reason: Mutex::new(None), at_end: Box::new(at_end), connections: Connections::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Why the process aborted, if it did.
    pub fn reason(&self) -> Option<String> {
        self.inner.reason.lock().clone()
    }

    /// The simulation is about to end the process: see [`super::crash`], which calls this.
    pub fn begin_crash(&self) {
        self.inner.connections.end_with_the_first();
    }

    pub(super) fn connections(&self) -> Connections {
        self.inner.connections.clone()
    }

    fn abort(&self, reason: &str) {
        let first = {
            let mut known = self.inner.reason.lock();
            let first = known.is_none();
            known.get_or_insert_with(|| reason.to_owned());
            first
        };
        if first {
            tracing::error!(reason, "aborting the simulated process");
            self.begin_crash();
            (self.inner.at_end)(reason);
        }
    }
}

impl Default for ProcessEnd {
    /// Only remembers the reason.
    fn default() -> Self {
        Self::new(|_| {})
    }
}

/// Tasks of the turmoil host that asks; a dedicated thread is a task like any other.
pub struct SimSpawn {
    end: ProcessEnd,
}

impl SimSpawn {
    /// Reports aborts to `end`.
    pub fn new(end: ProcessEnd) -> Self {
        Self { end }
    }
}

impl Spawn for SimSpawn {
    fn task(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        let guard = AbortOnPanic { name, end: self.end.clone() };
        tokio::spawn(async move {
            let _guard = guard;
            task.await;
        });
    }

    fn dedicated(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        self.task(name, task);
    }

    fn abort(&self, reason: &str) -> BoxFuture<'static, Infallible> {
        self.end.abort(reason);
        Box::pin(std::future::pending())
    }
}

struct AbortOnPanic {
    name: &'static str,
    end: ProcessEnd,
}

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.end.abort(&format!("task {} panicked", self.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn an_abort_is_seen_once_and_its_future_never_completes() {
        let calls = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&calls);
        let end = ProcessEnd::new(move |_| {
            seen.fetch_add(1, Ordering::Relaxed);
        });
        let spawn = SimSpawn::new(end.clone());
        assert_eq!(end.reason(), None);

        let never = spawn.abort("fdatasync failed");
        spawn.task("second", Box::pin(async {}));
        drop(spawn.abort("another reason"));

        assert_eq!(end.reason().as_deref(), Some("fdatasync failed"));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        let woken = tokio::time::timeout(std::time::Duration::ZERO, never).await;
        assert!(woken.is_err(), "the future of an abort completed");
    }

    #[tokio::test]
    async fn a_panic_in_a_task_ends_the_process() {
        let end = ProcessEnd::default();
        let spawn = SimSpawn::new(end.clone());
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        spawn.task(
            "journal",
            Box::pin(async move {
                let _dropped_while_unwinding = sender;
                panic!("planted");
            }),
        );
        assert!(receiver.await.is_err());
        tokio::task::yield_now().await;
        assert_eq!(end.reason().as_deref(), Some("task journal panicked"));
    }
}
