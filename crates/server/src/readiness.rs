use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Whether the node serves, for load balancers and for whoever waits for a start.
#[derive(Clone)]
pub(crate) struct Readiness(Arc<AtomicU8>);

/// The states, in the order of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Opening what is stored.
    Starting,
    /// Answers requests.
    Ready,
    /// The catalog's group has died; only a restart helps.
    Failed,
    /// Finishes what is in flight.
    Stopping,
}

impl Readiness {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(State::Starting as u8)))
    }

    pub(crate) fn get(&self) -> State {
        match self.0.load(Ordering::Acquire) {
            0 => State::Starting,
            1 => State::Ready,
            2 => State::Failed,
            _ => State::Stopping,
        }
    }

    /// Goes on to `state`; never back.
    pub(crate) fn reach(&self, state: State) {
        self.0.fetch_max(state as u8, Ordering::AcqRel);
    }
}

impl State {
    /// In a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_stops_never_looks_ready_again() {
        let readiness = Readiness::new();
        let order = [State::Starting, State::Ready, State::Failed, State::Stopping];
        for (at, state) in order.into_iter().enumerate() {
            readiness.reach(state);
            order[..=at].iter().for_each(|earlier| readiness.reach(*earlier));
            assert_eq!(readiness.get(), state, "{}", state.name());
        }
    }
}
