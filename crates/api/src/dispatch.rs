//! From a request to its operation.

use std::sync::Arc;

use bytes::Bytes;
use env::Clock;
use http::Response;
use http::request::Parts;
use router::Router;
use telemetry::Telemetry;
use wire::{AwsError, Call, Protocol, Request};

use crate::error::aws_error;
use crate::ops;
use crate::respond::{error_response, response};

/// Label of requests whose target names no operation: clients must not be able to make up labels.
const UNKNOWN: &str = "unknown";

/// The API of one node. Clones share it.
#[derive(Clone)]
pub struct Api {
    router: Router,
    telemetry: Telemetry,
    clock: Arc<dyn Clock>,
}

/// How an operation ends: the body of its reply, empty for those that only acknowledge, or an AWS error.
pub(crate) type Outcome = Result<Vec<u8>, AwsError>;

impl Api {
    /// An API over a router.
    #[must_use]
    pub fn new(router: Router, telemetry: Telemetry, clock: Arc<dyn Clock>) -> Api {
        Api { router, telemetry, clock }
    }

    /// Answers one request, whatever it is, and counts it.
    pub async fn handle(&self, head: &Parts, body: Bytes) -> Response<Bytes> {
        let begun = self.clock.monotonic();
        let (name, reply) = match Call::parse(&head.method, &head.headers) {
            Ok(call) => (call.operation.name(), self.answer(call, &body).await),
            Err(error) => (UNKNOWN, error_response(&error, Protocol::Json)),
        };
        self.telemetry.request(name, reply.status().as_u16(), self.clock.monotonic() - begun);
        reply
    }

    async fn answer(&self, call: Call, body: &[u8]) -> Response<Bytes> {
        let outcome = match Request::decode(call, body) {
            Ok(request) => self.carry_out(call.protocol, request).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(body) => response(call.protocol, body),
            Err(error) => error_response(&error, call.protocol),
        }
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
