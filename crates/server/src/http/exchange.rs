//! One request and its answer.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use env::Env;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;

use super::budget::{Budget, Exhausted, Lease, REQUEST_BYTES};
use super::within::within;
use super::{Handler, Limits, Refusal, body, request_id};

/// What is set aside for the reply before a request is carried out, as a multiple of its body and at most: a put that is done must
/// be able to say so. Its reply has some 120 bytes for each of up to 500 records, which take 35 bytes at least in the request.
const REPLY_PER_BODY: usize = 4;
const REPLY_BYTES_MAX: usize = 64 << 10;

/// What every connection of a listener shares.
pub(crate) struct Exchange<H> {
    pub(crate) env: Env,
    pub(crate) limits: Limits,
    pub(crate) budget: Budget,
    pub(crate) handler: Arc<H>,
}

impl<H: Handler> Exchange<H> {
    /// Answers a request, whatever it is.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, mut body) = request.into_parts();
        let answer = match self.handle(&head, &mut body).await {
            Ok((reply, lease)) => self.charge(reply, lease),
            Err(refusal) => Err(refusal),
        };
        let mut reply = answer.unwrap_or_else(|refusal| self.refuse(&head, refusal));
        self.complete(&mut reply);
        if head.method == Method::HEAD && head.version == Version::HTTP_2 {
            reply = without_body(reply);
        }
        reply.map(Full::new)
    }

    async fn handle(&self, head: &Parts, body: &mut Incoming) -> Result<(Response<Bytes>, Lease), Refusal> {
        let mut lease = self.budget.request().map_err(|Exhausted| Refusal::Overloaded)?;
        let clock = &*self.env.clock;
        let collected = body::collect(body, self.limits.body_bytes_max, &self.budget, &mut lease);
        let bytes = within(clock, self.limits.body_timeout, collected).await.ok_or(Refusal::BodyTimeout)??;
        let reply_bytes = bytes.len().saturating_mul(REPLY_PER_BODY).min(REPLY_BYTES_MAX);
        lease.add(self.budget.take(reply_bytes).map_err(|Exhausted| Refusal::Overloaded)?);
        let handled = self.handler.handle(head, bytes);
        let reply = within(clock, self.limits.request_timeout, handled).await.ok_or(Refusal::HandlerTimeout)?;
        Ok((reply, lease))
    }

    /// Counts the reply, in place of its request, until its last byte has left: a client that takes nothing holds what it asked for.
    fn charge(&self, reply: Response<Bytes>, mut lease: Lease) -> Result<Response<Bytes>, Refusal> {
        let (bytes, held) = (reply.body().len() + REQUEST_BYTES, lease.bytes());
        match bytes.checked_sub(held) {
            None | Some(0) => lease.shrink(bytes),
            Some(more) => lease.add(self.budget.take(more).map_err(|Exhausted| Refusal::Overloaded)?),
        }
        Ok(reply.map(|bytes| Bytes::from_owner(Charged { bytes, _lease: lease })))
    }

    fn refuse(&self, head: &Parts, refusal: Refusal) -> Response<Bytes> {
        tracing::debug!(?refusal, path = head.uri.path(), "request refused");
        let mut reply = self.handler.refuse(head, refusal);
        // The rest of the request may still be on its way; the next one could not be told from it.
        let is_cut = matches!(refusal, Refusal::BodyTooLarge | Refusal::BodyTimeout | Refusal::BodyBroken);
        if is_cut && head.version < Version::HTTP_2 {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    }

    fn complete(&self, reply: &mut Response<Bytes>) {
        request_id::set(&*self.env.random, reply.headers_mut());
        // From our clock, not from hyper's, which the simulation doesn't know.
        let now = UNIX_EPOCH + Duration::from_millis(self.env.clock.unix_ms());
        if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now)) {
            reply.headers_mut().insert(DATE, date);
        }
    }
}

/// A reply to HEAD says how long its body would be. hyper leaves the body out over HTTP/1.1, but not over HTTP/2, where clients then
/// break the connection off.
fn without_body(reply: Response<Bytes>) -> Response<Bytes> {
    let bytes = reply.body().len();
    let mut reply = reply.map(|_| Bytes::new());
    reply.headers_mut().insert(CONTENT_LENGTH, bytes.into());
    reply
}

struct Charged {
    bytes: Bytes,
    _lease: Lease,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
