//! One connection from its beginning to its end.

use std::convert::Infallible;
use std::sync::Arc;

use env::{BoxFuture, Stream};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::exchange::Exchange;
use super::executor::EnvExecutor;
use super::idle_io::IdleIo;
use super::listener::Phase;
use super::{Handler, Limits};

/// Headers of one request; SDKs send about 15.
const HEADERS_MAX: usize = 64;
/// Bytes of one request's head. Presigned requests with session tokens take some 4 KiB.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// HTTP/2: what a client may send ahead on one stream, and on all together, until it is read.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// HTTP/1.1: bytes of a connection's read buffer.
const READ_BUFFER_BYTES: usize = 256 << 10;

/// Serves `stream` until its client closes it, it breaks or the server stops.
pub(crate) async fn serve<H: Handler>(
    exchange: Arc<Exchange<H>>,
    stream: Box<dyn Stream>,
    mut phase: watch::Receiver<Phase>,
    _slot: OwnedSemaphorePermit,
) {
    let idle = IdleIo::new(stream, Arc::clone(&exchange.env.clock), exchange.limits.idle_timeout);
    let builder = builder(&exchange.limits, EnvExecutor(Arc::clone(&exchange.env.spawn)));
    let service = service_fn(move |request| {
        let exchange = Arc::clone(&exchange);
        let answer: BoxFuture<'static, _> =
            Box::pin(async move { Ok::<_, Infallible>(exchange.answer(request).await) });
        answer
    });
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(idle), service));
    tokio::select! {
        biased;
        ended = connection.as_mut() => return note(ended),
        () = reached(&mut phase, Phase::Draining) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        biased;
        ended = connection.as_mut() => note(ended),
        () = reached(&mut phase, Phase::Cut) => {}
    }
}

fn builder(limits: &Limits, executor: EnvExecutor) -> Builder<EnvExecutor> {
    let mut builder = Builder::new(executor);
    builder
        .http1()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .header_read_timeout(limits.header_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(READ_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(HEAD_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    builder
}

/// Completes when the server is in `wanted` or past it; a server that is gone is past everything.
pub(crate) async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    // The error means that the server has been dropped.
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}

fn note(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        // The client's doing, or the network's: nothing for an operator to act on.
        tracing::debug!(error = &*error, "connection ended");
    }
}
