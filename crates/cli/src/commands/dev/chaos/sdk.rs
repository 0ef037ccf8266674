//! A client as an application has it: it tries again as AWS' SDKs do by default, and turns to another node where one is gone.

use std::time::Duration;

use bytes::Bytes;
use env::Env;

use crate::bench::{CallError, Client};
use crate::http::Endpoint;

/// Attempts of one call, the first included, as the SDKs' older default mode makes.
const ATTEMPTS_MAX: u32 = 5;
/// The longest pause before the second attempt; each further one may be twice as long. The real one is random below.
const BACKOFF: Duration = Duration::from_millis(100);

pub(super) struct Sdk {
    env: Env,
    /// One for each node.
    clients: Vec<Client>,
    at: usize,
}

impl Sdk {
    /// Begins with the endpoint `first`, counted around.
    pub(super) fn new(env: &Env, endpoints: &[Endpoint], first: usize) -> Self {
        let clients: Vec<_> = endpoints.iter().map(|endpoint| Client::new(env, endpoint)).collect();
        Self { env: env.clone(), at: first % clients.len(), clients }
    }

    /// Calls an operation until it is answered well, refused for good or tried often enough; `again` is called before each
    /// further attempt.
    pub(super) async fn call(
        &mut self,
        operation: &str,
        body: &Bytes,
        mut again: impl FnMut(),
    ) -> Result<Bytes, CallError> {
        let mut attempt = 1;
        loop {
            let error = match self.clients[self.at].call(operation, body.clone()).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if matches!(error, CallError::Broken(_)) {
                self.at = (self.at + 1) % self.clients.len();
            }
            if attempt == ATTEMPTS_MAX || !passes(&error) {
                return Err(error);
            }
            let longest = BACKOFF * 2u32.pow(attempt - 1);
            self.env.clock.sleep(super::random_below(&self.env, longest)).await;
            attempt += 1;
            again();
        }
    }
}

/// Whether another attempt may succeed.
fn passes(error: &CallError) -> bool {
    match error {
        CallError::Broken(_) => true,
        CallError::Refused { status, .. } => status.is_server_error() || error.is_throttled(),
    }
}
