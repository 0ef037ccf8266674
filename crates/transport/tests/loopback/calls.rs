//! Calls that go well.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use transport::{CallError, Lane, Options, Refused, Reply};

use super::*;
use crate::support::{ECHO, LONG, NOBODY, NOTES, pattern, request};

#[test]
fn a_call_is_answered_with_head_and_body() {
    real(|env| async move {
        let (one, two) = pair(&env, Options::default()).await;
        for lane in [Lane::Control, Lane::Data] {
            let body = vec![Bytes::from_static(b"some "), Bytes::new(), Bytes::from_static(b"bytes")];
            let reply = one.transport.call(TWO, lane, request(ECHO, "head", body), LONG).await.unwrap();
            assert_eq!(reply, Reply { head: "head".into(), body: "some bytes".into() });
            let empty = one.transport.call(TWO, lane, request(ECHO, "", vec![]), LONG).await.unwrap();
            assert_eq!(empty, Reply { head: Bytes::new(), body: Bytes::new() });
        }
        assert_eq!(one.outcome("answered"), 4.0);
        assert_eq!(two.metric("thalweg_transport_served_calls_total{outcome=\"answered\"}"), 4.0);
        assert_eq!(one.metric("thalweg_transport_connections_open"), 2.0);
        assert!(two.metric("thalweg_transport_received_bytes_total") > 80.0);
        assert_eq!(one.metric("thalweg_transport_in_flight_bytes"), 0.0);
    });
}

#[test]
fn sixteen_mebibytes_arrive_intact_in_both_directions() {
    real(|env| async move {
        let (one, _two) = pair(&env, Options::default()).await;
        let whole = pattern(16 << 20);
        let pieces: Vec<Bytes> = (0..1000).map(|n| whole.slice(n * 16_777..(n + 1) * 16_777)).collect();
        let body: Vec<Bytes> = pieces.into_iter().chain([whole.slice(16_777_000..)]).collect();
        let reply = one.transport.call(TWO, Lane::Data, request(ECHO, "large", body), LONG).await.unwrap();
        assert!(reply.body == whole, "16 MiB differ");
    });
}

#[test]
fn calls_of_a_task_are_handled_in_the_order_they_were_sent() {
    const TASKS: u32 = 8;
    const CALLS: u32 = 500;
    real(|env| async move {
        let (one, two) = pair(&env, Options::default()).await;
        let done = Arc::new(tokio::sync::Semaphore::new(0));
        for task in 0..TASKS {
            let (transport, done) = (one.transport.clone(), Arc::clone(&done));
            env.spawn.task(
                "caller",
                Box::pin(async move {
                    let mut pending = Vec::new();
                    for number in 0..CALLS {
                        let mut head = BytesMut::new();
                        head.put_u32(task);
                        head.put_u32(number);
                        let body = vec![pattern(number as usize * 7)];
                        let request = request(NOTES, head.freeze(), body);
                        pending.push(transport.send(TWO, Lane::Data, request, LONG).await.unwrap());
                    }
                    for pending in pending {
                        pending.await.unwrap();
                    }
                    done.add_permits(1);
                }),
            );
        }
        let _all = done.acquire_many(TASKS).await.unwrap();
        let notes = two.notes.lock().clone();
        assert_eq!(notes.len(), (TASKS * CALLS) as usize);
        for task in 0..TASKS {
            let of_task = notes.iter().filter(|note| note.starts_with(&task.to_be_bytes()));
            assert!(of_task.is_sorted(), "task {task}");
        }
    });
}

#[test]
fn groups_are_divided_among_data_connections() {
    real(|env| async move {
        let (one, _two) = pair(&env, Options { data_connections: 3, ..Options::default() }).await;
        for group in 0..12 {
            let request = transport::Request { group: types::GroupId(group), ..request(ECHO, "head", vec![]) };
            one.transport.call(TWO, Lane::Data, request, LONG).await.unwrap();
        }
        assert_eq!(one.metric("thalweg_transport_connections_open"), 3.0);
    });
}

#[test]
fn a_service_without_a_handler_refuses_until_it_has_one() {
    real(|env| async move {
        let (one, two) = pair(&env, Options::default()).await;
        let refused = one.transport.call(TWO, Lane::Control, request(NOBODY, "", vec![]), LONG).await;
        assert_eq!(refused, Err(CallError::Refused(Refused::NoService(NOBODY))));
        let later = Node::new(&env, 3, Options::default());
        let address = later.transport.listen(ANY).await.unwrap();
        one.transport.set_peer(NodeId(3), &address.to_string());
        one.transport.call(NodeId(3), Lane::Control, request(ECHO, "", vec![]), LONG).await.unwrap();
        assert_eq!(
            (one.outcome("refused"), two.metric("thalweg_transport_served_calls_total{outcome=\"refused\"}")),
            (1.0, 1.0)
        );
    });
}

#[test]
fn a_seed_address_tells_which_node_answers() {
    real(|env| async move {
        let one = Node::new(&env, 1, Options::default());
        let seven = Node::new(&env, 7, Options::default());
        let address = seven.transport.listen(ANY).await.unwrap();
        let seed = format!("localhost:{}", address.port());
        let (node, reply) = one.transport.call_at(&seed, request(ECHO, "join", vec![]), LONG).await.unwrap();
        assert_eq!((node, reply.head), (NodeId(7), "join".into()));
        assert_eq!(one.metric("thalweg_transport_connections_open"), 0.0);
    });
}

#[test]
fn a_node_may_call_itself() {
    real(|env| async move {
        let one = Node::new(&env, 1, Options::default());
        let address = one.transport.listen(ANY).await.unwrap();
        one.transport.set_peer(ONE, &address.to_string());
        one.transport.call(ONE, Lane::Control, request(ECHO, "", vec![]), LONG).await.unwrap();
    });
}
