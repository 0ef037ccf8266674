use std::future::Future;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

/// What answers the requests of a listener.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Answers a request whose body is complete.
    fn handle(&self, head: &Parts, body: Bytes) -> impl Future<Output = Response<Bytes>> + Send;

    /// The answer to a request that never reaches [`Self::handle`], or whose answer is not to be had.
    fn refuse(&self, head: &Parts, refusal: Refusal) -> Response<Bytes>;
}

/// Why a request is not answered by its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The body is larger than [`super::Limits::body_bytes_max`].
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The connection broke within the body, or what came is not HTTP.
    BodyBroken,
    /// Requests and replies take all the memory they may.
    Overloaded,
    /// The handler did not answer in time. What it did is unknown.
    HandlerTimeout,
}
