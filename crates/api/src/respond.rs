//! Bodies to HTTP responses.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use wire::{AwsError, Protocol, Reply};

/// The response with an AWS error.
#[must_use]
pub fn error_response(error: &AwsError, protocol: Protocol) -> Response<Bytes> {
    let mut body = Vec::new();
    error.write_body(protocol, &mut body);
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = error.status();
    if let Some(content_type) = error.content_type(protocol) {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

pub(crate) fn response(protocol: Protocol, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(protocol.content_type()));
    response
}

/// The body of a reply that is not hot.
pub(crate) fn body(protocol: Protocol, reply: &impl Reply) -> Vec<u8> {
    let mut out = Vec::new();
    reply.write_body(protocol, &mut out);
    out
}
