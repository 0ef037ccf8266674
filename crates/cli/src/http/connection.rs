use std::time::Duration;

use bytes::Bytes;
use env::Env;
use http::header::HOST;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::Endpoint;

/// One request at a time over one keep-alive connection, made anew when it has broken.
pub(crate) struct Connection {
    env: Env,
    endpoint: Endpoint,
    /// For one request and its answer, connecting included.
    timeout: Duration,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// No answer: what the request did is unknown.
#[derive(Debug, thiserror::Error)]
#[error("no answer: {0}")]
pub(crate) struct NoAnswer(pub(crate) String);

impl Connection {
    /// A connection that is made at its first request.
    pub(crate) fn new(env: &Env, endpoint: &Endpoint, timeout: Duration) -> Self {
        Self { env: env.clone(), endpoint: endpoint.clone(), timeout, sender: None }
    }

    /// Sends a request, whose Host header it sets, and returns the answer's status and body.
    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), NoAnswer> {
        let host = HeaderValue::from_str(&self.endpoint.authority).map_err(broken)?;
        request.headers_mut().insert(HOST, host);
        let timeout = self.env.clock.sleep(self.timeout);
        let sent = tokio::select! {
            biased;
            sent = self.exchange(request) => sent,
            () = timeout => Err(broken("timeout")),
        };
        if sent.is_err() {
            self.sender = None;
        }
        sent
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), NoAnswer> {
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

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, NoAnswer> {
        let stream = self.env.network.connect(self.endpoint.address).await.map_err(broken)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let drive = async move {
            // Its error is seen by the call in flight.
            let _ = connection.await;
        };
        self.env.spawn.task("client connection", Box::pin(drive));
        Ok(sender)
    }
}

fn broken(error: impl std::fmt::Display) -> NoAnswer {
    NoAnswer(error.to_string())
}
