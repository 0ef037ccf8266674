//! What only somebody can send who speaks the protocol up to a point.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::{BoxFuture, Env, Stream};
use telemetry::Telemetry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use types::{GroupId, NodeId};

use crate::frame::{Header, Kind};
use crate::hello::Hello;
use crate::{
    Answer, Call, CallError, Handler, Identity, Lane, Options, Request, Service, Transport, Unknown, handshake,
};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const ECHO: Service = Service(1);
const LONG: Duration = Duration::from_secs(30);

struct Echo;

impl Handler for Echo {
    fn handle(&self, call: Call) -> BoxFuture<'static, Answer> {
        Box::pin(async move { Answer { head: call.head, body: vec![call.body] } })
    }
}

fn real<F: Future<Output = ()>>(test: impl FnOnce(Env) -> F) {
    let root = tempfile::tempdir().unwrap();
    env::real::run(async { test(env::real::env(root.path().to_owned())).await }).unwrap();
}

fn identity(node: u64) -> Identity {
    Identity::new("test", NodeId(node)).unwrap()
}

fn transport(env: &Env, node: u64) -> Transport {
    let options = Options { frame_bytes_max: 1 << 20, ..Options::default() };
    let transport = Transport::new(env.clone(), identity(node), options, &Telemetry::new(), None);
    transport.serve(ECHO, Arc::new(Echo));
    transport
}

fn request() -> Request {
    Request { service: ECHO, group: GroupId(1), head: Bytes::from_static(b"head"), body: vec![] }
}

/// Bytes that a node which has shaken hands must not send, to whom it calls or to who calls it.
fn malformed(own_kind: Kind) -> Vec<Vec<u8>> {
    let header = |kind, body_len| Header::new(kind, 0, ECHO, GroupId(1), b"head", body_len);
    let mut flipped = header(own_kind, 0).encode(b"head").to_vec();
    flipped[2] ^= 1;
    let mut wrong_head = header(own_kind, 0).encode(b"head").to_vec();
    wrong_head[41] ^= 1;
    let other_kind = if own_kind == Kind::Request { Kind::Answer } else { Kind::Request };
    vec![
        vec![0x5a; 1000],
        flipped,
        wrong_head,
        header(other_kind, 0).encode(b"head").to_vec(),
        // No buffer is made for this one: its lengths are honest, but over the bound.
        header(own_kind, 1 << 30).encode(b"head").to_vec(),
    ]
}

async fn shake_hands(stream: &mut dyn Stream) {
    let hello =
        Hello { from: NodeId(1), meant: Some(NodeId(2)), lane: Lane::Data, connection: 0, cluster: "test".into() };
    handshake::call(stream, &hello).await.unwrap();
}

#[test]
fn a_caller_that_sends_malformed_frames_is_cut_off_and_others_are_served() {
    real(|env| async move {
        let two = transport(&env, 2);
        let address = two.listen(ANY).await.unwrap();
        for bytes in malformed(Kind::Request) {
            let mut stream = env.network.connect(address).await.unwrap();
            shake_hands(&mut *stream).await;
            stream.write_all(&bytes).await.unwrap();
            // Pings may come before the end; a reset is an end too.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        let one = transport(&env, 1);
        one.set_peer(NodeId(2), &address.to_string());
        one.call(NodeId(2), Lane::Data, request(), LONG).await.unwrap();
    });
}

#[test]
fn a_called_node_that_sends_malformed_frames_is_cut_off() {
    real(|env| async move {
        for bytes in malformed(Kind::Answer) {
            let mut listener = env.network.bind(ANY).await.unwrap();
            let one = transport(&env, 1);
            one.set_peer(NodeId(2), &listener.local_addr().unwrap().to_string());
            let pending = one.send(NodeId(2), Lane::Data, request(), LONG);
            let (pending, mut stream) = tokio::join!(pending, async {
                let (mut stream, _) = listener.accept().await.unwrap();
                handshake::answer(&mut *stream, &identity(2), |_| Ok(())).await.unwrap();
                stream
            });
            stream.write_all(&bytes).await.unwrap();
            let lost = pending.unwrap().await;
            assert!(matches!(lost, Err(CallError::Unknown(Unknown::Lost(_)))), "{lost:?}");
        }
    });
}

#[test]
fn calls_and_answers_that_were_given_up_are_ignored() {
    real(|env| async move {
        let mut listener = env.network.bind(ANY).await.unwrap();
        let one = transport(&env, 1);
        one.set_peer(NodeId(2), &listener.local_addr().unwrap().to_string());
        let pending = one.send(NodeId(2), Lane::Data, request(), LONG);
        let (pending, mut stream) = tokio::join!(pending, async {
            let (mut stream, _) = listener.accept().await.unwrap();
            handshake::answer(&mut *stream, &identity(2), |_| Ok(())).await.unwrap();
            stream
        });
        for (id, head) in [(77, b"stray"), (0, b"right"), (0, b"again")] {
            let header = Header::new(Kind::Answer, id, ECHO, GroupId(1), head, 0);
            stream.write_all(&header.encode(head)).await.unwrap();
        }
        assert_eq!(pending.unwrap().await.unwrap().head, Bytes::from_static(b"right"));
    });
}

#[test]
fn a_caller_that_reads_no_answers_is_cut_off() {
    real(|env| async move {
        let telemetry = Telemetry::new();
        let (idle_ping, silence_max) = (Duration::from_millis(20), Duration::from_millis(400));
        let options = Options { idle_ping, silence_max, ..Options::default() };
        let two = Transport::new(env.clone(), identity(2), options, &telemetry, None);
        two.serve(ECHO, Arc::new(Echo));
        let mut stream = env.network.connect(two.listen(ANY).await.unwrap()).await.unwrap();
        shake_hands(&mut *stream).await;
        let body = vec![7; 32 << 20];
        let header = Header::new(Kind::Request, 0, ECHO, GroupId(1), b"", body.len()).with_deadline(LONG);
        stream.write_all(&header.encode(b"")).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let began = env.clock.monotonic();
        // It is not its silence that ends it.
        while stream.write_all(&Header::PING.encode(b"")).await.is_ok() {
            assert!(env.clock.monotonic() - began < LONG);
            env.clock.sleep(Duration::from_millis(10)).await;
        }
        assert!(env.clock.monotonic() - began >= silence_max);
    });
}
