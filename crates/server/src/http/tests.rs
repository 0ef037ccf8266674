//! Plumbing over real sockets: what clients do, well-behaved or not.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::{Env, Stream};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};

use super::executor::EnvExecutor;
use super::{Handler, HttpServer, Limits, Refusal};

/// No test waits longer for anything.
const DEADLINE: Duration = Duration::from_secs(10);

/// What `/large` answers with.
const LARGE_BYTES: usize = 100_000;

/// Answers with the body. `/wait` first says that it has begun and waits to be released.
#[derive(Clone, Default)]
struct Echo {
    begun: Arc<Notify>,
    release: Arc<Notify>,
}

impl Handler for Echo {
    async fn handle(&self, head: &Parts, body: Bytes) -> Response<Bytes> {
        if head.uri.path() == "/wait" {
            self.begun.notify_one();
            self.release.notified().await;
        }
        if head.uri.path() == "/large" {
            return Response::new(vec![7; LARGE_BYTES].into());
        }
        Response::new(body)
    }

    fn refuse(&self, _: &Parts, refusal: Refusal) -> Response<Bytes> {
        let status = match refusal {
            Refusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Refusal::BodyBroken => StatusCode::BAD_REQUEST,
            Refusal::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::HandlerTimeout => StatusCode::GATEWAY_TIMEOUT,
        };
        let mut reply = Response::new(Bytes::new());
        *reply.status_mut() = status;
        reply
    }
}

fn limits() -> Limits {
    Limits {
        connections_max: 10,
        header_timeout: DEADLINE,
        body_timeout: DEADLINE,
        request_timeout: DEADLINE,
        body_bytes_max: 1 << 20,
        memory_bytes_max: 16 << 20,
        streams_max: 100,
        idle_timeout: 3 * DEADLINE,
    }
}

/// Runs `test` with a server, in the real world, within the deadline.
fn with_server<F: Future<Output = ()>>(limits: Limits, test: impl FnOnce(Env, Echo, HttpServer) -> F) {
    env::real::run(async {
        let env = env::real::env(std::env::temp_dir());
        let echo = Echo::default();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = HttpServer::start(&env, "test", address, limits, echo.clone()).await.unwrap();
        tokio::time::timeout(DEADLINE, test(env, echo, server)).await.expect("the test hangs");
    })
    .unwrap();
}

async fn connect(env: &Env, server: &HttpServer) -> Box<dyn Stream> {
    env.network.connect(server.address()).await.unwrap()
}

/// What the server sends until it closes the connection; a reset counts as closing.
async fn read_to_end(stream: &mut Box<dyn Stream>) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8(text).unwrap()
}

/// Reads until the text ends with `end`.
async fn read_until(stream: &mut Box<dyn Stream>, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        text.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn a_reply_has_both_ids_a_date_and_its_length() {
    with_server(limits(), async |env, _, server| {
        let mut stream = connect(&env, &server).await;
        stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello").await.unwrap();
        let reply = read_until(&mut stream, "hello").await;
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
        let header = |name: &str| {
            let line =
                reply.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {reply}"));
            line[name.len() + 2..].to_owned()
        };
        assert_eq!(header("x-amzn-requestid").len(), 36);
        assert_eq!(header("x-amz-id-2").len(), 76);
        assert_eq!(header("content-length"), "5");
        assert!(header("date").ends_with(" GMT"));
    });
}

#[test]
fn pipelined_requests_are_answered_in_order_on_one_connection() {
    with_server(limits(), async |env, _, server| {
        let mut stream = connect(&env, &server).await;
        let request = |body: &str| format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let requests: String = ["one", "two", "last"].map(request).concat();
        stream.write_all(requests.as_bytes()).await.unwrap();
        let replies = read_until(&mut stream, "last").await;
        let place = |body: &str| replies.find(&format!("\r\n\r\n{body}")).unwrap();
        assert!(place("one") < place("two") && place("two") < place("last"));
        assert_eq!(replies.matches("HTTP/1.1 200 OK").count(), 3);
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn clear_text_http2_is_spoken_on_the_same_port_with_many_requests_at_once() {
    with_server(limits(), async |env, _, server| {
        let io = TokioIo::new(connect(&env, &server).await);
        let executor = EnvExecutor(Arc::clone(&env.spawn));
        let (mut client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        env.spawn.task("client", Box::pin(async move { connection.await.unwrap() }));
        let requests = (0..50).map(|number| {
            let body = vec![number; 10_000 + usize::from(number)];
            let request = Request::post("http://thalweg/").body(Full::new(Bytes::from(body.clone()))).unwrap();
            let reply = client.send_request(request);
            async move {
                let reply = reply.await.unwrap();
                assert!(reply.headers().contains_key("x-amzn-requestid"));
                assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), body);
            }
        });
        futures_util::future::join_all(requests).await;
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn replies_that_a_client_does_not_take_are_counted_until_it_goes() {
    let bound = 4 << 20;
    with_server(Limits { memory_bytes_max: bound, ..limits() }, async |env, _, server| {
        let io = TokioIo::new(connect(&env, &server).await);
        let mut builder = hyper::client::conn::http2::Builder::new(EnvExecutor(Arc::clone(&env.spawn)));
        let (mut client, connection) = builder.initial_stream_window_size(1).handshake(io).await.unwrap();
        env.spawn.task("client", Box::pin(async move { drop(connection.await) }));
        let mut replies = Vec::new();
        for _ in 0..100 {
            let request = Request::get("http://thalweg/large").body(Full::new(Bytes::new())).unwrap();
            replies.push(client.send_request(request).await.unwrap());
        }
        let taken = replies.iter().filter(|reply| reply.status() == StatusCode::OK).count();
        assert_eq!(taken, bound / (LARGE_BYTES + 4096), "the rest is refused");
        assert!((taken * LARGE_BYTES..=bound).contains(&server.memory_bytes()), "{}", server.memory_bytes());
        drop((replies, client));
        while server.memory_bytes() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_reply_to_head_over_http2_has_no_body() {
    with_server(limits(), async |env, _, server| {
        let io = TokioIo::new(connect(&env, &server).await);
        let executor = EnvExecutor(Arc::clone(&env.spawn));
        let (mut client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        env.spawn.task("client", Box::pin(async move { connection.await.unwrap() }));
        let request = Request::head("http://thalweg/").body(Full::new(Bytes::from("hello"))).unwrap();
        let reply = client.send_request(request).await.unwrap();
        assert_eq!(reply.headers()["content-length"], "5");
        assert!(reply.into_body().collect().await.unwrap().to_bytes().is_empty());
    });
}

#[test]
fn a_chunked_body_without_a_length_is_read_whole() {
    with_server(limits(), async |env, _, server| {
        let mut stream = connect(&env, &server).await;
        let request = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
        stream.write_all(request).await.unwrap();
        assert!(read_until(&mut stream, "abcdefg").await.starts_with("HTTP/1.1 200"));
    });
}

#[test]
fn a_client_that_sends_its_head_byte_by_byte_is_cut_and_others_are_served() {
    with_server(Limits { header_timeout: Duration::from_millis(100), ..limits() }, async |env, _, server| {
        let mut slow = connect(&env, &server).await;
        slow.write_all(b"POST / HTTP/1.1\r\nx-slow").await.unwrap();
        let mut other = connect(&env, &server).await;
        other.write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        assert!(read_until(&mut other, "ok").await.starts_with("HTTP/1.1 200"));
        let end = read_to_end(&mut slow).await;
        assert!(end.is_empty() || end.starts_with("HTTP/1.1 408"), "{end}");
    });
}

#[test]
fn a_connection_that_never_says_anything_is_closed() {
    with_server(Limits { idle_timeout: Duration::from_millis(100), ..limits() }, async |env, _, server| {
        let mut silent = connect(&env, &server).await;
        assert_eq!(read_to_end(&mut silent).await, "");
    });
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_and_holds_no_memory() {
    with_server(Limits { body_timeout: Duration::from_millis(200), ..limits() }, async |env, _, server| {
        let mut slow = connect(&env, &server).await;
        slow.write_all(b"POST / HTTP/1.1\r\ncontent-length: 1000000\r\n\r\nonly this").await.unwrap();
        let mut other = connect(&env, &server).await;
        other.write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        read_until(&mut other, "ok").await;
        assert!(server.memory_bytes() < 16 << 10, "{}", server.memory_bytes());
        let reply = read_to_end(&mut slow).await;
        assert!(reply.starts_with("HTTP/1.1 408") && reply.contains("connection: close"), "{reply}");
    });
}

#[test]
fn a_body_over_the_bound_is_refused_with_413_that_a_client_sees_after_sending_it_all() {
    with_server(limits(), async |env, _, server| {
        let mut stream = connect(&env, &server).await;
        let length = (4 << 20) + 1;
        stream.write_all(format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n").as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; length]).await.unwrap();
        assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 413"));
        assert_eq!(server.memory_bytes(), 0);
    });
}

#[test]
fn a_connection_over_the_bound_is_closed_at_once_and_a_freed_place_is_taken_again() {
    with_server(Limits { connections_max: 1, ..limits() }, async |env, _, server| {
        let mut first = connect(&env, &server).await;
        first.write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        read_until(&mut first, "ok").await;
        let mut second = connect(&env, &server).await;
        assert_eq!(read_to_end(&mut second).await, "");
        drop(first);
        // The server sees the end of the first connection a moment later.
        loop {
            let mut third = connect(&env, &server).await;
            let _ = third.write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
            if read_to_end(&mut third).await.ends_with("ok") {
                break;
            }
        }
    });
}

#[test]
fn a_handler_that_takes_too_long_is_answered_for() {
    with_server(Limits { request_timeout: Duration::from_millis(50), ..limits() }, async |env, _, server| {
        let mut stream = connect(&env, &server).await;
        stream.write_all(b"POST /wait HTTP/1.1\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 504"));
    });
}

#[test]
fn a_stop_finishes_what_is_in_flight_and_takes_nothing_new() {
    with_server(limits(), async |env, echo, server| {
        let mut idle = connect(&env, &server).await;
        idle.write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        read_until(&mut idle, "ok").await;
        let mut busy = connect(&env, &server).await;
        busy.write_all(b"POST /wait HTTP/1.1\r\ncontent-length: 4\r\n\r\nlast").await.unwrap();
        echo.begun.notified().await;

        let address = server.address();
        let (stopped, is_stopped) = oneshot::channel();
        env.spawn.task("stop", Box::pin(async move { assert!(stopped.send(server.stop(DEADLINE).await).is_ok()) }));
        assert_eq!(read_to_end(&mut idle).await, "", "the idle connection ends first");
        assert!(env.network.connect(address).await.is_err(), "a stopping server still accepts");
        echo.release.notify_one();
        assert!(read_to_end(&mut busy).await.ends_with("last"));
        assert_eq!(is_stopped.await.unwrap(), 0);
    });
}

#[test]
fn a_stop_cuts_what_does_not_finish_in_time() {
    with_server(limits(), async |env, echo, server| {
        let mut busy = connect(&env, &server).await;
        busy.write_all(b"POST /wait HTTP/1.1\r\n\r\n").await.unwrap();
        echo.begun.notified().await;
        assert_eq!(server.stop(Duration::from_millis(50)).await, 1);
        assert_eq!(read_to_end(&mut busy).await, "");
    });
}
