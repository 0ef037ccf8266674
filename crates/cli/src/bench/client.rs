//! One keep-alive connection to the API.

use std::time::Duration;

use bytes::Bytes;
use env::Env;
use http::header::CONTENT_TYPE;
use http::{HeaderName, Request, StatusCode};
use http_body_util::Full;
use serde::Deserialize;

use crate::http::{Connection, Endpoint, NoAnswer};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// For one call, connecting included. Longer than the server's own limits, so that its answer is seen.
const CALL_TIMEOUT: Duration = Duration::from_secs(75);

/// One call at a time over one connection.
pub(crate) struct Client {
    connection: Connection,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No answer: what the call did is unknown.
    #[error(transparent)]
    Broken(#[from] NoAnswer),
    /// The server says no.
    #[error("{status} {kind}: {message}")]
    Refused { status: StatusCode, kind: String, message: String },
}

impl CallError {
    /// Whether the server only asks for patience.
    pub(crate) fn is_throttled(&self) -> bool {
        let Self::Refused { kind, .. } = self else { return false };
        matches!(
            kind.as_str(),
            "ProvisionedThroughputExceededException" | "LimitExceededException" | "ServiceUnavailable"
        )
    }

    /// Whether there is no such stream.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == "ResourceNotFoundException")
    }
}

impl Client {
    /// A client that connects at its first call.
    pub(crate) fn new(env: &Env, endpoint: &Endpoint) -> Self {
        Self { connection: Connection::new(env, endpoint, CALL_TIMEOUT) }
    }

    /// Calls an operation and returns the body of its reply.
    pub(crate) async fn call(&mut self, operation: &str, body: Bytes) -> Result<Bytes, CallError> {
        let request = Request::post("/")
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header(TARGET, format!("Kinesis_20131202.{operation}"))
            .body(Full::new(body))
            .map_err(|error| NoAnswer(error.to_string()))?;
        self.send(request).await
    }

    /// Gets a page, such as `/metrics`.
    pub(crate) async fn page(&mut self, path: &str) -> Result<Bytes, CallError> {
        let request = Request::get(path).body(Full::default()).map_err(|error| NoAnswer(error.to_string()))?;
        self.send(request).await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Bytes, CallError> {
        let (status, body) = self.connection.send(request).await?;
        if status == StatusCode::OK { Ok(body) } else { Err(refused(status, &body)) }
    }
}

fn refused(status: StatusCode, body: &[u8]) -> CallError {
    #[derive(Default, Deserialize)]
    struct Body {
        #[serde(default, rename = "__type")]
        kind: String,
        #[serde(default, alias = "Message")]
        message: String,
    }
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    CallError::Refused { status, kind: body.kind, message: body.message }
}
