//! Nothing grows without a bound.

use std::time::Duration;

use transport::{CallError, Lane, NotSent, Options, Pending, Refused, Unknown};

use super::*;
use crate::support::{ECHO, GATE, LONG, eventually, pattern, request};

const KIB: usize = 1 << 10;
const SOON: Duration = Duration::from_millis(200);

async fn fill(one: &Node, count: usize, bytes: usize) -> Vec<Pending> {
    let mut pending = Vec::new();
    for _ in 0..count {
        let request = request(GATE, "", vec![pattern(bytes)]);
        pending.push(one.transport.send(TWO, Lane::Data, request, LONG).await.unwrap());
    }
    pending
}

#[test]
fn a_slow_handler_makes_senders_wait() {
    real(|env| async move {
        let options = Options { in_flight_bytes_max: 1024 * KIB, ..Options::default() };
        let (one, two) = pair(&env, options).await;
        let pending = fill(&one, 4, 256 * KIB).await;
        let late = one.transport.send(TWO, Lane::Data, request(GATE, "", vec![pattern(KIB)]), SOON).await;
        assert_eq!(late.err(), Some(CallError::NotSent(NotSent::NoRoom)));
        assert_eq!(one.metric("thalweg_transport_in_flight_bytes"), 1024.0 * 1024.0);
        // The other lane has room of its own.
        one.transport.call(TWO, Lane::Control, request(ECHO, "", vec![]), LONG).await.unwrap();

        two.gate.send_replace(true);
        for pending in pending {
            assert_eq!(pending.await.unwrap().body.len(), 256 * KIB);
        }
        assert_eq!(one.metric("thalweg_transport_in_flight_bytes"), 0.0);
        eventually(&env, "the answers' leases end", || two.metric("thalweg_transport_in_flight_bytes") == 0.0).await;
    });
}

#[test]
fn the_number_of_calls_is_bounded_too() {
    real(|env| async move {
        let (one, two) = pair(&env, Options { calls_max: 3, ..Options::default() }).await;
        let pending = fill(&one, 3, 1).await;
        let late = one.transport.send(TWO, Lane::Data, request(GATE, "", vec![]), SOON).await;
        assert_eq!(late.err(), Some(CallError::NotSent(NotSent::NoRoom)));
        two.gate.send_replace(true);
        for pending in pending {
            pending.await.unwrap();
        }
    });
}

#[test]
fn a_node_reads_no_more_than_it_has_room_for() {
    real(|env| async move {
        let options = |bytes| Options { in_flight_bytes_max: bytes, ..Options::default() };
        let one = Node::new(&env, 1, options(64 << 20));
        let two = Node::new(&env, 2, options(1024 * KIB));
        let address = two.transport.listen(ANY).await.unwrap();
        one.transport.set_peer(TWO, &address.to_string());
        let pending = fill(&one, 40, 256 * KIB).await;
        eventually(&env, "four calls wait at the gate", || *two.waiting.lock() == 4).await;
        env.clock.sleep(SOON).await;
        assert_eq!(*two.waiting.lock(), 4, "a fifth call was read");
        assert!(two.metric("thalweg_transport_in_flight_bytes") <= 1024.0 * 1024.0);
        two.gate.send_replace(true);
        for pending in pending {
            pending.await.unwrap();
        }
    });
}

#[test]
fn a_call_without_an_answer_ends_by_its_deadline_on_both_sides() {
    real(|env| async move {
        let (one, two) = pair(&env, Options::default()).await;
        let late = one.transport.call(TWO, Lane::Data, request(GATE, "", vec![]), SOON).await;
        assert_eq!(late, Err(CallError::Unknown(Unknown::Deadline)));
        eventually(&env, "the call ends there", || *two.waiting.lock() == 0).await;
        assert_eq!(one.metric("thalweg_transport_in_flight_bytes"), 0.0);
        // Waiting is over by the deadline also when nobody looked meanwhile.
        let pending = one.transport.send(TWO, Lane::Data, request(GATE, "", vec![]), SOON).await.unwrap();
        env.clock.sleep(SOON * 2).await;
        let began = env.clock.monotonic();
        assert_eq!(pending.await, Err(CallError::Unknown(Unknown::Deadline)));
        assert!(env.clock.monotonic() - began < SOON / 2);
        assert_eq!(one.outcome("unknown"), 2.0);
    });
}

#[test]
fn a_dropped_call_is_carried_out_and_holds_nothing() {
    real(|env| async move {
        let options = Options { in_flight_bytes_max: 1024 * KIB, ..Options::default() };
        let (one, two) = pair(&env, options).await;
        for _ in 0..3 {
            drop(fill(&one, 1, 1024 * KIB).await);
        }
        two.gate.send_replace(true);
        one.transport.call(TWO, Lane::Data, request(ECHO, "", vec![]), LONG).await.unwrap();
        assert_eq!(one.outcome("dropped"), 3.0);
        let answered = "thalweg_transport_served_calls_total{outcome=\"answered\"}";
        eventually(&env, "all are answered", || two.metric(answered) == 4.0).await;
    });
}

#[test]
fn messages_and_answers_that_are_too_large_are_refused() {
    real(|env| async move {
        let options = |bytes| Options { frame_bytes_max: bytes, ..Options::default() };
        let (one, two) = (Node::new(&env, 1, options(64 * KIB)), Node::new(&env, 2, options(16 * KIB)));
        let (to_one, to_two) = (one.transport.listen(ANY).await.unwrap(), two.transport.listen(ANY).await.unwrap());
        one.transport.set_peer(TWO, &to_two.to_string());
        two.transport.set_peer(ONE, &to_one.to_string());
        let echo = |bytes| request(ECHO, "", vec![pattern(bytes)]);
        let refused = one.transport.call(TWO, Lane::Data, echo(64 * KIB + 1), LONG).await;
        let (bytes, bytes_max) = (64 * KIB + 1, 64 * KIB);
        assert_eq!(refused, Err(CallError::NotSent(NotSent::TooLarge { bytes, bytes_max })));

        // Over the other node's bound: it closes the connection, since it won't read on.
        let lost = one.transport.call(TWO, Lane::Data, echo(32 * KIB), LONG).await;
        assert!(matches!(lost, Err(CallError::Unknown(Unknown::Lost(_)))), "{lost:?}");

        let small = Node::new(&env, 3, options(16 * KIB));
        small.transport.serve(ECHO, std::sync::Arc::new(Large));
        let address = small.transport.listen(ANY).await.unwrap();
        one.transport.set_peer(NodeId(3), &address.to_string());
        let refused = one.transport.call(NodeId(3), Lane::Data, echo(1), LONG).await;
        assert_eq!(refused, Err(CallError::Refused(Refused::AnswerTooLarge)));
    });
}

#[test]
fn answers_that_nobody_takes_end_the_connection_rather_than_fill_memory() {
    real(|env| async move {
        let (idle_ping, silence_max) = (Duration::from_millis(20), Duration::from_millis(400));
        let options = Options { in_flight_bytes_max: 1024 * KIB, idle_ping, silence_max, ..Options::default() };
        let (one, two) = pair(&env, options).await;
        let echo = || request(ECHO, "", vec![pattern(600 * KIB)]);
        let first = one.transport.send(TWO, Lane::Data, echo(), LONG).await.unwrap();
        let second = one.transport.send(TWO, Lane::Data, echo(), LONG).await.unwrap();
        eventually(&env, "the connection ends", || two.metric("thalweg_transport_connections_open") == 0.0).await;
        assert_eq!(first.await.unwrap().body.len(), 600 * KIB);
        let lost = second.await.unwrap_err().to_string();
        assert!(lost.contains("not taken"), "{lost}");
    });
}

/// Answers with more than it may.
struct Large;

impl transport::Handler for Large {
    fn handle(&self, _: transport::Call) -> env::BoxFuture<'static, transport::Answer> {
        Box::pin(async { transport::Answer { head: "".into(), body: vec![pattern(17 * KIB)] } })
    }
}
