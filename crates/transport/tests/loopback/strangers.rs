//! Whoever should not be at the other end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transport::{CallError, HandshakeError, Lane, NotSent, Options};

use super::*;
use crate::support::{ECHO, LONG, eventually, pattern, request};

fn handshake(error: CallError) -> HandshakeError {
    match error {
        CallError::NotSent(NotSent::Handshake { reason, .. }) => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn a_node_of_another_cluster_is_named() {
    real(|env| async move {
        let ours = Node::of("ours", &env, 1, Options::default());
        let theirs = Node::of("theirs", &env, 2, Options::default());
        let address = theirs.transport.listen(ANY).await.unwrap().to_string();
        ours.transport.set_peer(TWO, &address);
        let call = || ours.transport.call(TWO, Lane::Control, request(ECHO, "", vec![]), LONG);
        let expected = HandshakeError::Cluster { ours: "ours".into(), theirs: "theirs".into() };
        let error = call().await.unwrap_err();
        assert!(error.to_string().contains("`theirs`") && error.to_string().contains(&address), "{error}");
        assert_eq!(handshake(error), expected);
        assert_eq!(handshake(call().await.unwrap_err()), expected, "also during the pause");
        let seed = ours.transport.call_at(&address, request(ECHO, "", vec![]), LONG).await;
        assert_eq!(handshake(seed.unwrap_err()), expected);
        assert_eq!(theirs.metric("thalweg_transport_served_calls_total{outcome=\"answered\"}"), 0.0);
    });
}

#[test]
fn another_node_than_the_one_meant_is_named() {
    real(|env| async move {
        let (one, three) = (Node::new(&env, 1, Options::default()), Node::new(&env, 3, Options::default()));
        one.transport.set_peer(TWO, &three.transport.listen(ANY).await.unwrap().to_string());
        let error = one.transport.call(TWO, Lane::Control, request(ECHO, "", vec![]), LONG).await.unwrap_err();
        assert_eq!(handshake(error), HandshakeError::Node { meant: TWO, found: NodeId(3) });
    });
}

#[test]
fn somebody_who_does_not_speak_the_protocol_is_named() {
    real(|env| async move {
        let mut listener = env.network.bind(ANY).await.unwrap();
        let one = Node::new(&env, 1, Options::default());
        one.transport.set_peer(TWO, &listener.local_addr().unwrap().to_string());
        env.spawn.task(
            "web server",
            Box::pin(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }),
        );
        let error = one.transport.call(TWO, Lane::Control, request(ECHO, "", vec![]), LONG).await.unwrap_err();
        assert_eq!(handshake(error), HandshakeError::NotThalweg);
    });
}

#[test]
fn garbage_and_silence_are_closed_and_the_node_serves_on() {
    real(|env| async move {
        let options = Options { handshake_deadline: Duration::from_millis(200), ..Options::default() };
        let (one, two) = (Node::new(&env, 1, Options::default()), Node::new(&env, 2, options));
        let address = two.transport.listen(ANY).await.unwrap();
        for garbage in [Vec::new(), b"THALWEG".to_vec(), pattern(100_000).to_vec(), vec![0; 20], vec![0xff; 4096]] {
            let mut stream = env.network.connect(address).await.unwrap();
            // Either may fail once the node has closed.
            let _ = stream.write_all(&garbage).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        eventually(&env, "all are closed", || two.metric("thalweg_transport_connections_open") == 0.0).await;
        one.transport.set_peer(TWO, &address.to_string());
        one.transport.call(TWO, Lane::Control, request(ECHO, "", vec![]), LONG).await.unwrap();
    });
}

#[test]
fn connections_past_the_bound_are_closed() {
    real(|env| async move {
        let (_, two) = pair(&env, Options { accepted_max: 2, ..Options::default() }).await;
        let address = two.transport.listen(ANY).await.unwrap();
        let mut open = Vec::new();
        for _ in 0..2 {
            open.push(env.network.connect(address).await.unwrap());
        }
        eventually(&env, "two are open", || two.metric("thalweg_transport_connections_open") == 2.0).await;
        let mut third = env.network.connect(address).await.unwrap();
        assert!(matches!(third.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    });
}
