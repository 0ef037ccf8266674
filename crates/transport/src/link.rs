//! One connection to one peer, kept up: made when first needed, made again when lost.

use std::sync::Arc;
use std::time::Duration;

use env::{Random, Stream};
use tokio::sync::watch;
use types::NodeId;

use crate::connection::Connection;
use crate::dial::dial;
use crate::shared::{Closing, Shared};
use crate::within::within;
use crate::{Lane, NotSent, Options};

/// Where a link leads.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) node: NodeId,
    pub(crate) address: Arc<str>,
    pub(crate) lane: Lane,
    /// Which of the lane's connections.
    pub(crate) connection: u8,
}

/// What a caller finds.
enum State {
    /// The first attempt is under way, or the first after a connection that was good: it is worth waiting for.
    Connecting,
    Up(Arc<Connection>),
    /// The last attempt failed. Calls fail at once until one succeeds.
    Down(NotSent),
    /// For good.
    Closed,
}

pub(crate) struct Link {
    state: watch::Sender<State>,
}

impl Link {
    /// Starts to connect.
    pub(crate) fn start(shared: &Arc<Shared>, target: Target, mut closing: Closing) -> Arc<Self> {
        let link = Arc::new(Self { state: watch::Sender::new(State::Connecting) });
        let (shared, kept) = (Arc::clone(shared), Arc::clone(&link));
        let task = {
            let shared = Arc::clone(&shared);
            async move {
                let mut state = kept.state.subscribe();
                tokio::select! {
                    biased;
                    () = closing.begun() => kept.close(),
                    _ = state.wait_for(|state| matches!(state, State::Closed)) => {}
                    () = kept.keep_up(&shared, &target) => {}
                }
            }
        };
        shared.spawn("transport link", Box::pin(task));
        link
    }

    /// The connection. Waits while one is being made; the caller bounds that.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, NotSent> {
        if let State::Up(connection) = &*self.state.borrow() {
            return Ok(Arc::clone(connection));
        }
        let mut state = self.state.subscribe();
        match state.wait_for(|state| !matches!(state, State::Connecting)).await.as_deref() {
            Ok(State::Up(connection)) => Ok(Arc::clone(connection)),
            Ok(State::Down(reason)) => Err(reason.clone()),
            Ok(State::Connecting | State::Closed) | Err(_) => Err(NotSent::Closed),
        }
    }

    /// Ends the connection, if there is one, and all its calls.
    pub(crate) fn close(&self) {
        self.state.send_replace(State::Closed);
    }

    /// Once closed it stays so.
    fn set(&self, state: State) {
        self.set_if(state, |current| !matches!(current, State::Closed));
    }

    /// A reason that is known already says more.
    fn set_if_connecting(&self, state: State) {
        self.set_if(state, |current| matches!(current, State::Connecting));
    }

    fn set_if(&self, state: State, condition: impl FnOnce(&State) -> bool) {
        self.state.send_if_modified(|current| {
            let wanted = condition(current);
            if wanted {
                *current = state;
            }
            wanted
        });
    }

    /// One attempt to connect; calls wait for it only so long.
    async fn dial(&self, shared: &Shared, target: &Target) -> Result<Box<dyn Stream>, NotSent> {
        let mut dialled =
            std::pin::pin!(dial(shared, &target.address, Some(target.node), target.lane, target.connection));
        let dialled = match within(&*shared.env.clock, shared.options.connect_wait, dialled.as_mut()).await {
            Some(dialled) => dialled,
            None => {
                let (address, reason) = (Arc::clone(&target.address), "it has not answered yet".into());
                self.set_if_connecting(State::Down(NotSent::Unreachable { address, reason }));
                dialled.await
            }
        };
        dialled.map(|(_, stream)| stream)
    }

    async fn keep_up(&self, shared: &Arc<Shared>, target: &Target) {
        let clock = &shared.env.clock;
        let mut backoff = Backoff::new(&shared.options);
        let mut failed: Option<NotSent> = None;
        loop {
            match self.dial(shared, target).await {
                Ok(stream) => {
                    if failed.take().is_some() {
                        tracing::info!(node = %target.node, lane = ?target.lane, "node is reached again");
                    }
                    let (connection, run) = Connection::new(shared, &target.address, stream);
                    let since = clock.monotonic();
                    self.set(State::Up(connection));
                    let lost = run.await;
                    tracing::info!(node = %target.node, lane = ?target.lane, reason = %lost, "connection to a node lost");
                    if clock.monotonic().saturating_sub(since) >= shared.options.backoff_max {
                        backoff = Backoff::new(&shared.options);
                        self.set(State::Connecting);
                        continue;
                    }
                    // One that breaks as soon as it is made is as bad as none.
                    let (address, reason) = (Arc::clone(&target.address), lost.to_string().into());
                    self.set(State::Down(NotSent::Unreachable { address, reason }));
                }
                Err(reason) => {
                    if failed.as_ref() != Some(&reason) {
                        tracing::warn!(node = %target.node, lane = ?target.lane, %reason, "node is not reached");
                        failed = Some(reason.clone());
                    }
                    self.set(State::Down(reason));
                }
            }
            clock.sleep(backoff.next(&*shared.env.random)).await;
        }
    }
}

/// Pauses between attempts: doubled each time, up to a bound, with jitter so that nodes don't knock all at once.
struct Backoff {
    pause: Duration,
    pause_max: Duration,
}

impl Backoff {
    fn new(options: &Options) -> Self {
        Self { pause: options.backoff_min, pause_max: options.backoff_max }
    }

    fn next(&mut self, random: &dyn Random) -> Duration {
        let pause = self.pause.min(self.pause_max).max(Duration::from_millis(1));
        self.pause = pause.saturating_mul(2);
        let half = pause / 2;
        let jitter_us = random.u64() % u64::try_from(half.as_micros().max(1)).unwrap_or(u64::MAX);
        half + Duration::from_micros(jitter_us)
    }
}

#[cfg(test)]
mod tests {
    use env::sim::SeededRandom;

    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_differ() {
        let random = SeededRandom::new(1);
        let mut backoff = Backoff::new(&Options::default());
        let pauses: Vec<Duration> = (0..20).map(|_| backoff.next(&random)).collect();
        assert!(pauses[0] >= Duration::from_millis(25) && pauses[0] <= Duration::from_millis(50), "{pauses:?}");
        assert!(pauses[10..].iter().all(|pause| (500..=1000).contains(&pause.as_millis())), "{pauses:?}");
        assert!(pauses[10..].windows(2).any(|pair| pair[0] != pair[1]), "no jitter");
    }
}
