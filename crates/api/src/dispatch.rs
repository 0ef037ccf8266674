//! From a request to its operation.

use std::sync::Arc;

use bytes::Bytes;
use env::Clock;
use http::Response;
use http::request::Parts;
use router::Router;
use telemetry::Telemetry;
use types::planted::{self, Bug};
use wire::{AwsError, Call, Protocol, Request};

use crate::error::aws_error;
use crate::ops;
use crate::respond::{error_response, response};

/// Label of requests whose target names no operation: clients must not be able to make up labels.
const UNKNOWN: &str = "unknown";

/// An access key and its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public part, which requests name.
    pub id: String,
    /// What requests are signed with.
    pub secret: String,
}

impl std::fmt::Debug for AccessKey {
    /// Without the secret, which must not get into a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The API of one node. Clones share it.
#[derive(Clone)]
pub struct Api {
    router: Router,
    telemetry: Telemetry,
    clock: Arc<dyn Clock>,
    key: Option<Arc<AccessKey>>,
}

/// How an operation ends: the body of its reply, empty for those that only acknowledge, or an AWS error.
pub(crate) type Outcome = Result<Vec<u8>, AwsError>;

impl Api {
    /// An API over a router. With a key, every request must be signed with it; without one, nobody looks at signatures.
    #[must_use]
    pub fn new(router: Router, telemetry: Telemetry, clock: Arc<dyn Clock>, key: Option<AccessKey>) -> Api {
        Api { router, telemetry, clock, key: key.map(Arc::new) }
    }

    /// Answers one request, whatever it is, and counts it.
    pub async fn handle(&self, head: &Parts, body: Bytes) -> Response<Bytes> {
        let begun = self.clock.monotonic();
        let (name, reply) = match Call::parse(&head.method, &head.headers) {
            Ok(call) => match self.authenticate(head, &body) {
                Ok(()) => (call.operation.name(), self.answer(call, &body).await),
                Err(error) => (call.operation.name(), error_response(&error, call.protocol)),
            },
            Err(error) => (UNKNOWN, error_response(&error, Protocol::Json)),
        };
        self.telemetry.request(name, reply.status().as_u16(), self.clock.monotonic() - begun);
        reply
    }

    fn authenticate(&self, head: &Parts, body: &[u8]) -> Result<(), AwsError> {
        let Some(key) = &self.key else { return Ok(()) };
        let expected = wire::sigv4::Expected {
            access_key_id: &key.id,
            secret_access_key: &key.secret,
            region: &self.router.options().region,
            now_seconds: self.clock.unix_ms() / 1000,
        };
        wire::sigv4::verify(head, body, expected)
    }

    async fn answer(&self, call: Call, body: &[u8]) -> Response<Bytes> {
        let seen = self.router.catalog_index();
        let outcome = match self.attempt(call, body).await {
            Err(error) if error.is_not_found() && !planted::active(Bug::StaleCatalogBelieved) => {
                match self.router.catch_up(seen).await {
                    Ok(true) => {
                        tracing::debug!(
                            operation = call.operation.name(),
                            "what was not found is looked for again in a newer catalog"
                        );
                        self.attempt(call, body).await
                    }
                    Ok(false) => Err(error),
                    Err(failure) => Err(self.refuse(failure)),
                }
            }
            outcome => outcome,
        };
        match outcome {
            Ok(body) => response(call.protocol, body),
            Err(error) => error_response(&error, call.protocol),
        }
    }

    /// Carries the request out with what this node knows. Nothing has happened when it says that something was not found.
    async fn attempt(&self, call: Call, body: &[u8]) -> Outcome {
        let request = Request::decode(call, body)?;
        if shows_catalog(&request) {
            self.router.settle().await.map_err(|error| self.refuse(error))?;
        }
        self.carry_out(call.protocol, request).await
    }

    async fn carry_out(&self, protocol: Protocol, request: Request<'_>) -> Outcome {
        match request {
            Request::CreateStream(request) => ops::create_stream(self, request).await,
            Request::DecreaseStreamRetentionPeriod(request) => {
                ops::decrease_stream_retention_period(self, request).await
            }
            Request::DeleteStream(request) => ops::delete_stream(self, request).await,
            Request::DescribeLimits(_) => ops::describe_limits(self, protocol),
            Request::DescribeStream(request) => ops::describe_stream(self, protocol, &request),
            Request::DescribeStreamSummary(request) => ops::describe_stream_summary(self, protocol, &request),
            Request::GetRecords(request) => ops::get_records(self, protocol, request).await,
            Request::GetShardIterator(request) => ops::get_shard_iterator(self, protocol, request).await,
            Request::IncreaseStreamRetentionPeriod(request) => {
                ops::increase_stream_retention_period(self, request).await
            }
            Request::ListShards(request) => ops::list_shards(self, protocol, &request),
            Request::ListStreams(request) => ops::list_streams(self, protocol, &request),
            Request::PutRecord(request) => ops::put_record(self, protocol, request).await,
            Request::PutRecords(request) => ops::put_records(self, protocol, request).await,
        }
    }

    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    pub(crate) fn account(&self) -> &str {
        &self.router.options().account
    }

    /// What the router refuses, in AWS' words.
    pub(crate) fn refuse(&self, error: router::RouterError) -> AwsError {
        aws_error(self.router.options(), error)
    }
}

/// Whether the reply is what this node's copy of the catalog holds.
fn shows_catalog(request: &Request<'_>) -> bool {
    matches!(
        request,
        Request::DescribeLimits(_)
            | Request::DescribeStream(_)
            | Request::DescribeStreamSummary(_)
            | Request::ListShards(_)
            | Request::ListStreams(_)
    )
}
