//! Peers that go, come back, move or were never there.

use std::time::Duration;

use transport::{CallError, Lane, NotSent, Options, Unknown};

use super::*;
use crate::support::{ECHO, GATE, LONG, eventually, request};

/// Far below any deadline of these tests.
const PROMPT: Duration = Duration::from_secs(5);

/// An address that nobody listens on.
async fn deserted(env: &Env) -> String {
    env.network.bind(ANY).await.unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_peer_that_is_not_there_is_known_at_once() {
    real(|env| async move {
        let one = Node::new(&env, 1, Options::default());
        one.transport.set_peer(TWO, &deserted(&env).await);
        let began = env.clock.monotonic();
        for _ in 0..200 {
            let error = one.transport.call(TWO, Lane::Control, request(ECHO, "", vec![]), LONG).await.unwrap_err();
            assert!(matches!(error, CallError::NotSent(NotSent::Unreachable { .. })), "{error}");
        }
        assert!(env.clock.monotonic() - began < PROMPT);
        assert_eq!(one.outcome("not_sent"), 200.0);
        assert!(one.metric("thalweg_transport_connect_failures_total") >= 1.0);
    });
}

#[test]
fn unknown_and_removed_peers_and_nonsense_addresses_are_told() {
    real(|env| async move {
        let (one, _two) = pair(&env, Options::default()).await;
        let call = |node| one.transport.call(node, Lane::Control, request(ECHO, "", vec![]), LONG);
        assert_eq!(call(NodeId(9)).await, Err(CallError::NotSent(NotSent::UnknownPeer(NodeId(9)))));
        call(TWO).await.unwrap();
        one.transport.remove_peer(TWO);
        assert_eq!(call(TWO).await, Err(CallError::NotSent(NotSent::UnknownPeer(TWO))));
        one.transport.set_peer(NodeId(3), "no port");
        assert!(matches!(call(NodeId(3)).await, Err(CallError::NotSent(NotSent::Unreachable { .. }))));
    });
}

#[test]
fn a_connection_that_breaks_fails_its_calls_at_once_and_the_peer_may_return() {
    real(|env| async move {
        let (one, two) = (Node::new(&env, 1, Options::default()), Node::new(&env, 2, Options::default()));
        let address = two.transport.listen(ANY).await.unwrap();
        one.transport.set_peer(TWO, &address.to_string());
        let began = env.clock.monotonic();
        let mut pending = Vec::new();
        for _ in 0..10 {
            pending.push(one.transport.send(TWO, Lane::Data, request(GATE, "", vec![]), LONG).await.unwrap());
        }
        eventually(&env, "the calls arrive", || *two.waiting.lock() == 10).await;
        two.transport.close().await;
        assert_eq!(*two.waiting.lock(), 0, "futures outlived the transport");
        for pending in pending {
            let error = pending.await.unwrap_err();
            assert!(matches!(error, CallError::Unknown(Unknown::Lost(_))), "{error}");
        }
        let gone = one.transport.call(TWO, Lane::Data, request(ECHO, "", vec![]), LONG).await;
        assert!(matches!(gone, Err(CallError::NotSent(NotSent::Unreachable { .. }))), "{gone:?}");
        assert!(env.clock.monotonic() - began < PROMPT);

        let again = Node::new(&env, 2, Options::default());
        again.transport.listen(address).await.unwrap();
        let began = env.clock.monotonic();
        while one.transport.call(TWO, Lane::Data, request(ECHO, "", vec![]), LONG).await.is_err() {
            assert!(env.clock.monotonic() - began < PROMPT, "the returned peer is not noticed");
            env.clock.sleep(Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn a_peer_that_moves_is_called_where_it_is_now() {
    real(|env| async move {
        let (one, old) = pair(&env, Options::default()).await;
        let pending = one.transport.send(TWO, Lane::Data, request(GATE, "", vec![]), LONG).await.unwrap();
        let new = Node::new(&env, 2, Options::default());
        let address = new.transport.listen(ANY).await.unwrap().to_string();
        one.transport.set_peer(TWO, &address);
        assert!(matches!(pending.await, Err(CallError::Unknown(Unknown::Lost(_)))));
        for _ in 0..2 {
            one.transport.call(TWO, Lane::Data, request(ECHO, "", vec![]), LONG).await.unwrap();
            one.transport.set_peer(TWO, &address);
        }
        assert_eq!(new.metric("thalweg_transport_served_calls_total{outcome=\"answered\"}"), 2.0);
        eventually(&env, "the old connection ends", || old.metric("thalweg_transport_connections_open") == 0.0).await;
        assert_eq!(one.metric("thalweg_transport_connections_open"), 1.0, "the same address ended the connection");
    });
}

#[test]
fn a_closed_transport_calls_nobody_and_listens_no_more() {
    real(|env| async move {
        let (one, two) = pair(&env, Options::default()).await;
        let pending = one.transport.send(TWO, Lane::Data, request(GATE, "", vec![]), LONG).await.unwrap();
        one.transport.close().await;
        assert!(matches!(pending.await, Err(CallError::Unknown(Unknown::Lost(_)))));
        let call = one.transport.call(TWO, Lane::Data, request(ECHO, "", vec![]), LONG).await;
        assert_eq!(call, Err(CallError::NotSent(NotSent::Closed)));
        assert!(one.transport.listen(ANY).await.is_err());
        one.transport.close().await;
        eventually(&env, "the other side notices", || two.metric("thalweg_transport_connections_open") == 0.0).await;
    });
}

#[test]
fn a_transport_that_is_dropped_leaves_nothing_behind() {
    real(|env| async move {
        let (one, two) = pair(&env, Options::default()).await;
        one.transport.call(TWO, Lane::Data, request(ECHO, "", vec![]), LONG).await.unwrap();
        drop(one);
        eventually(&env, "its connection ends", || two.metric("thalweg_transport_connections_open") == 0.0).await;
    });
}
