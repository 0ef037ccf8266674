use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::room::Lease;
use crate::{CallError, Reply, Unknown};

/// What becomes of a call. The lease counts the answer until it is taken.
pub(crate) type Outcome = Result<(Reply, Lease), CallError>;

/// The calls of one connection that wait for their answers.
#[derive(Default)]
pub(crate) struct Calls {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    /// Why the connection has ended, if it has.
    lost: Option<Arc<str>>,
}

struct Waiting {
    outcome: oneshot::Sender<Outcome>,
    /// Shared with the message while that is on its way out: a call counts until neither is left.
    lease: Arc<Lease>,
}

impl Calls {
    /// Adds a call; returns its number and where its outcome will appear.
    ///
    /// # Errors
    /// Why the connection has ended.
    pub(crate) fn add(&self, lease: Arc<Lease>) -> Result<(u64, oneshot::Receiver<Outcome>), Arc<str>> {
        let mut table = self.table.lock();
        if let Some(lost) = &table.lost {
            return Err(Arc::clone(lost));
        }
        let id = table.next;
        table.next += 1;
        let (outcome, receiver) = oneshot::channel();
        table.waiting.insert(id, Waiting { outcome, lease });
        Ok((id, receiver))
    }

    /// Ends a call. One that nobody waits for any more is none.
    pub(crate) fn finish(&self, id: u64, outcome: Outcome) {
        let waiting = self.table.lock().waiting.remove(&id);
        if let Some(Waiting { outcome: waiter, lease }) = waiting {
            // First the room, so that a caller who sees the outcome finds it free.
            drop(lease);
            // Fails when the caller has just given up.
            let _ = waiter.send(outcome);
        }
    }

    /// Nobody waits for this call any more.
    pub(crate) fn forget(&self, id: u64) {
        let waiting = self.table.lock().waiting.remove(&id);
        drop(waiting);
    }

    /// The connection has ended: so do all calls, at once.
    pub(crate) fn fail_all(&self, why: &Arc<str>) {
        let waiting = {
            let mut table = self.table.lock();
            table.lost.get_or_insert_with(|| Arc::clone(why));
            std::mem::take(&mut table.waiting)
        };
        for call in waiting.into_values() {
            drop(call.lease);
            let _ = call.outcome.send(Err(Unknown::Lost(Arc::clone(why)).into()));
        }
    }
}
