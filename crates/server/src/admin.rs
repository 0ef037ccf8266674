//! The admin address: health, metrics, and the state of the cluster.

mod cluster;

use std::sync::{Arc, OnceLock};

use ::http::header::CONTENT_TYPE;
use ::http::request::Parts;
use ::http::{HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use control_plane::ControlPlane;
use telemetry::Telemetry;

use crate::http::{Handler, HttpServer, Refusal};
use crate::readiness::{Readiness, State};

/// The format that Prometheus has read since 2014.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

pub(crate) struct Admin {
    pub(crate) readiness: Readiness,
    pub(crate) telemetry: Telemetry,
    /// The API's listener, once there is one.
    pub(crate) api: Arc<OnceLock<HttpServer>>,
    /// The control plane, once this node is a member of its cluster.
    pub(crate) control: Arc<OnceLock<ControlPlane>>,
}

impl Admin {
    fn page(&self, path: &str) -> Response<Bytes> {
        match path {
            "/health/live" => text(StatusCode::OK, "live"),
            "/health/ready" => {
                let state = self.readiness.get();
                let is_ready = state == State::Ready;
                text(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, state.name())
            }
            "/metrics" => reply(StatusCode::OK, METRICS_TYPE, self.metrics()),
            _ => text(StatusCode::NOT_FOUND, "not found: /health/live, /health/ready, /metrics and /cluster are here"),
        }
    }

    fn metrics(&self) -> String {
        if let Some(api) = self.api.get() {
            self.telemetry.connections_open.set(gauge(api.connections()));
            self.telemetry.in_flight_bytes.set(gauge(api.memory_bytes()));
        }
        self.telemetry.render()
    }
}

impl Handler for Admin {
    async fn handle(&self, head: &Parts, body: Bytes) -> Response<Bytes> {
        if let Some(path) = head.uri.path().strip_prefix("/cluster") {
            // Boxed: it reaches through the whole control plane, and is rare.
            return Box::pin(cluster::answer(self.control.get(), head, path, &body)).await;
        }
        if matches!(head.method, Method::GET | Method::HEAD) {
            self.page(head.uri.path())
        } else {
            text(StatusCode::METHOD_NOT_ALLOWED, "only GET")
        }
    }

    fn refuse(&self, _: &Parts, refusal: Refusal) -> Response<Bytes> {
        text(
            StatusCode::BAD_REQUEST,
            match refusal {
                Refusal::BodyTooLarge => "the body is too large",
                Refusal::BodyTimeout | Refusal::BodyBroken => "the body did not arrive",
                Refusal::Overloaded => "too many requests",
                Refusal::HandlerTimeout => "too slow",
            },
        )
    }
}

fn gauge(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn text(status: StatusCode, words: &str) -> Response<Bytes> {
    reply(status, TEXT_TYPE, format!("{words}\n"))
}

fn reply(status: StatusCode, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
