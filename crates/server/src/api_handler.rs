//! The API behind its listener.

use std::time::Duration;

use ::http::request::Parts;
use ::http::{Response, StatusCode};
use api::{Api, error_response};
use bytes::Bytes;
use telemetry::Telemetry;
use wire::{AwsError, Protocol};

use crate::http::{Handler, Refusal};

/// Label of requests that never got as far as an operation.
const REFUSED: &str = "refused";
const OVERLOADED: &str = "The server has as many requests in memory as it may. Try again.";

pub(crate) struct ApiHandler {
    pub(crate) api: Api,
    pub(crate) telemetry: Telemetry,
}

impl Handler for ApiHandler {
    async fn handle(&self, head: &Parts, body: Bytes) -> Response<Bytes> {
        self.api.handle(head, body).await
    }

    fn refuse(&self, _: &Parts, refusal: Refusal) -> Response<Bytes> {
        let reply = match refusal {
            Refusal::BodyTooLarge => error(&AwsError::body_too_large()),
            Refusal::BodyTimeout => timeout(),
            Refusal::BodyBroken => error(&AwsError::not_parseable()),
            Refusal::Overloaded => error(&AwsError::service_unavailable(OVERLOADED)),
            // A put may have been carried out: a failure of the server, which clients try again.
            Refusal::HandlerTimeout => error(&AwsError::internal_failure()),
        };
        self.telemetry.request(REFUSED, reply.status().as_u16(), Duration::ZERO);
        reply
    }
}

fn error(error: &AwsError) -> Response<Bytes> {
    error_response(error, Protocol::Json)
}

fn timeout() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    response
}
