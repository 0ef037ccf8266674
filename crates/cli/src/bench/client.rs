//! One keep-alive connection to the API.

use std::time::Duration;

use bytes::Bytes;
use env::Env;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderName, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::endpoint::Endpoint;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// For one call, connecting included. Longer than the server's own limits, so that its answer is seen.
const CALL_TIMEOUT: Duration = Duration::from_secs(75);

/// One request at a time over one connection, made anew when it has broken.
pub(crate) struct Client {
    env: Env,
    endpoint: Endpoint,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No answer: what the call did is unknown.
    #[error("no answer: {0}")]
    Broken(String),
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
        Self { env: env.clone(), endpoint: endpoint.clone(), sender: None }
    }

    /// Calls an operation and returns the body of its reply.
    pub(crate) async fn call(&mut self, operation: &str, body: Bytes) -> Result<Bytes, CallError> {
        let request = Request::post("/")
            .header(HOST, &self.endpoint.authority)
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header(TARGET, format!("Kinesis_20131202.{operation}"))
            .body(Full::new(body))
            .map_err(broken)?;
        let (status, body) = self.send(request).await?;
        if status == StatusCode::OK { Ok(body) } else { Err(refused(status, &body)) }
    }

    /// Gets a page, such as `/metrics`.
    pub(crate) async fn page(&mut self, path: &str) -> Result<Bytes, CallError> {
        let request =
            Request::get(path).header(HOST, &self.endpoint.authority).body(Full::default()).map_err(broken)?;
        let (status, body) = self.send(request).await?;
        if status == StatusCode::OK { Ok(body) } else { Err(refused(status, &body)) }
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), CallError> {
        let clock = self.env.clock.clone();
        let sent = tokio::select! {
            biased;
            sent = self.exchange(request) => sent,
            () = clock.sleep(CALL_TIMEOUT) => Err(CallError::Broken("timeout".to_owned())),
        };
        if sent.is_err() {
            self.sender = None;
        }
        sent
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), CallError> {
        let mut request = Some(request);
        let (reply, sender) = loop {
            let (mut sender, is_new) = match self.sender.take().filter(SendRequest::is_ready) {
                Some(sender) => (sender, false),
                None => (self.connect().await?, true),
            };
            sender.ready().await.map_err(broken)?;
            // Taken when given to the connection, and given back below if it never left.
            let Some(message) = request.take() else { return Err(broken("the request is gone")) };
            match sender.try_send_request(message).await {
                Ok(reply) => break (reply, sender),
                Err(mut error) => {
                    request = error.take_message();
                    // The server had closed a connection that was idle: another one, once.
                    if is_new || request.is_none() {
                        return Err(broken(error.into_error()));
                    }
                }
            }
        };
        let status = reply.status();
        let body = reply.into_body().collect().await.map_err(broken)?.to_bytes();
        self.sender = Some(sender);
        Ok((status, body))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, CallError> {
        let stream = self.env.network.connect(self.endpoint.address).await.map_err(broken)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let drive = async move {
            // Its error is seen by the call in flight.
            let _ = connection.await;
        };
        self.env.spawn.task("bench connection", Box::pin(drive));
        Ok(sender)
    }
}

fn broken(error: impl std::fmt::Display) -> CallError {
    CallError::Broken(error.to_string())
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
