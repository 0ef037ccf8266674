use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use env::BoxFuture;
use tokio::sync::oneshot;

use crate::calls::Outcome;
use crate::connection::Connection;
use crate::shared::Shared;
use crate::{CallError, Reply, Unknown};

/// A call that has been queued: the future of its outcome. It completes by the deadline that [`crate::Transport::send`] was given,
/// counted from there. Dropping it ends the waiting, not the call.
#[must_use = "the outcome of a call"]
pub struct Pending {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    id: u64,
    outcome: oneshot::Receiver<Outcome>,
    /// By the monotonic clock.
    until: Duration,
    /// Made when it is first needed: most answers that are looked at late have come.
    timer: Option<BoxFuture<'static, ()>>,
    done: bool,
}

impl Pending {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connection: Arc<Connection>,
        id: u64,
        outcome: oneshot::Receiver<Outcome>,
        until: Duration,
    ) -> Self {
        Self { shared, connection, id, outcome, until, timer: None, done: false }
    }

    fn poll_outcome(&mut self, context: &mut Context<'_>) -> Poll<Result<Reply, CallError>> {
        if let Poll::Ready(outcome) = Pin::new(&mut self.outcome).poll(context) {
            // The sender goes only with the table of calls, which this holds.
            let outcome = outcome.unwrap_or_else(|_| Err(Unknown::Lost("closed here".into()).into()));
            return Poll::Ready(outcome.map(|(reply, _lease)| reply));
        }
        let clock = &self.shared.env.clock;
        let timer = self.timer.get_or_insert_with(|| clock.sleep(self.until.saturating_sub(clock.monotonic())));
        timer.as_mut().poll(context).map(|()| Err(Unknown::Deadline.into()))
    }
}

impl Future for Pending {
    type Output = Result<Reply, CallError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outcome = std::task::ready!(this.poll_outcome(context));
        this.done = true;
        this.connection.calls.forget(this.id);
        match &outcome {
            Ok(_) => this.shared.meters.calls.answered.inc(),
            Err(error) => this.shared.meters.calls.failed(error),
        }
        Poll::Ready(outcome)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.done {
            self.connection.calls.forget(self.id);
            self.shared.meters.calls.dropped();
        }
    }
}
