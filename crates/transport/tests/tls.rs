//! Certificates: who is let in, who isn't, and how they are renewed.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "tls/authority.rs"]
mod authority;
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use env::Env;
use telemetry::Telemetry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transport::{CallError, HandshakeError, Identity, Lane, NotSent, Options, Tls, TlsError, Transport};
use types::NodeId;

use crate::authority::{Authority, files, write};
use crate::support::{ECHO, LONG, Node, eventually, pattern, request};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);

fn real<F: Future<Output = ()>>(test: impl FnOnce(Env, Box<Path>) -> F) {
    let root = tempfile::tempdir().unwrap();
    env::real::run(async {
        let env = env::real::env(root.path().to_owned());
        test(env, root.path().into()).await;
    })
    .unwrap();
}

fn identity(number: u64) -> Identity {
    Identity::new("test", NodeId(number)).unwrap()
}

fn load(env: &Env, folder: &Path, number: u64) -> Result<Tls, TlsError> {
    Tls::load(files(folder), &identity(number), Arc::clone(&env.clock))
}

fn node(env: &Env, number: u64, tls: Option<Tls>) -> Node {
    let telemetry = Telemetry::new();
    let options = Options { certificates_interval: Duration::from_millis(20), ..Options::default() };
    let transport = Transport::new(env.clone(), identity(number), options, &telemetry, tls);
    Node::with(env, transport, telemetry)
}

/// Node `number` with a certificate of `authority`.
fn member(env: &Env, root: &Path, authority: &Authority, number: u64) -> Node {
    let folder = root.join(number.to_string());
    authority.issue(&folder, &format!("node-{number}.test.thalweg"));
    node(env, number, Some(load(env, &folder, number).unwrap()))
}

async fn call(from: &Node, to: NodeId) -> Result<(), CallError> {
    from.transport.call(to, Lane::Data, request(ECHO, "head", vec![]), LONG).await.map(drop)
}

/// Why the call did not get out.
async fn refusal(from: &Node, to: &Node) -> String {
    let address = to.transport.listen(ANY).await.unwrap().to_string();
    from.transport.set_peer(TWO, &address);
    let error = call(from, TWO).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(_)), "{error}");
    assert_eq!(to.metric("thalweg_transport_served_calls_total{outcome=\"answered\"}"), 0.0);
    error.to_string()
}

#[test]
fn nodes_with_certificates_of_one_authority_call_each_other() {
    real(|env, root| async move {
        let authority = Authority::new();
        let (one, two) = (member(&env, &root, &authority, 1), member(&env, &root, &authority, 2));
        let address = two.transport.listen(ANY).await.unwrap().to_string();
        one.transport.set_peer(TWO, &address);
        let large = pattern(16 << 20);
        let body = vec![large.slice(..1000), large.slice(1000..)];
        let reply = one.transport.call(TWO, Lane::Data, request(ECHO, "head", body), LONG).await.unwrap();
        assert!(reply.body == large, "16 MiB differ");
        let (found, _) = one.transport.call_at(&address, request(ECHO, "head", vec![]), LONG).await.unwrap();
        assert_eq!(found, TWO);
        one.transport.close().await;
        two.transport.close().await;
    });
}

#[test]
fn a_node_of_another_authority_is_refused_by_either_side() {
    real(|env, root| async move {
        let (ours, theirs) = (Authority::new(), Authority::new());
        let (one, two) = (member(&env, &root, &ours, 1), member(&env, &root, &theirs, 2));
        let reason = refusal(&one, &two).await;
        assert!(reason.contains("certificate"), "{reason}");

        // A caller that trusts everyone but is trusted by nobody.
        let folder = root.join("trusting");
        theirs.issue(&folder, "node-3.test.thalweg");
        write(&folder.join("authority.pem"), &(ours.pem() + &theirs.pem()));
        let trusting = node(&env, 3, Some(load(&env, &folder, 3).unwrap()));
        let good = member(&env, &root, &ours, 4);
        trusting.transport.set_peer(NodeId(4), &good.transport.listen(ANY).await.unwrap().to_string());
        let error = call(&trusting, NodeId(4)).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Unreachable { .. })), "{error}");
        assert!(error.to_string().contains("alert"), "{error}");
    });
}

#[test]
fn nodes_without_tls_and_nodes_with_it_refuse_each_other() {
    real(|env, root| async move {
        let authority = Authority::new();
        let secure = member(&env, &root, &authority, 2);
        let address = secure.transport.listen(ANY).await.unwrap();
        let plain = node(&env, 1, None);
        plain.transport.set_peer(TWO, &address.to_string());
        assert!(matches!(call(&plain, TWO).await, Err(CallError::NotSent(_))));
        plain.transport.set_peer(ONE, &plain.transport.listen(ANY).await.unwrap().to_string());
        call(&plain, ONE).await.unwrap();
        secure.transport.set_peer(ONE, &plain.transport.listen(ANY).await.unwrap().to_string());
        assert!(matches!(call(&secure, ONE).await, Err(CallError::NotSent(_))));

        // Garbage in place of a handshake of TLS.
        let mut stream = env.network.connect(address).await.unwrap();
        let _ = stream.write_all(&pattern(100_000)).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
        let one = member(&env, &root, &authority, 1);
        one.transport.set_peer(TWO, &address.to_string());
        call(&one, TWO).await.unwrap();
    });
}

#[test]
fn a_caller_without_a_certificate_is_refused() {
    real(|env, root| async move {
        let authority = Authority::new();
        let two = member(&env, &root, &authority, 2);
        let address = two.transport.listen(ANY).await.unwrap();
        let stream = env.network.connect(address).await.unwrap();
        let config = authority.client_without_certificate();
        let name = rustls::pki_types::ServerName::try_from("node-2.test.thalweg").unwrap();
        let refused = async {
            let mut stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await?;
            // In TLS 1.3 the caller's side is done before the called one has judged: it learns so by reading.
            stream.write_all(b"THALWEG").await?;
            stream.read_u8().await
        };
        let error = refused.await.unwrap_err().to_string();
        assert!(error.contains("CertificateRequired"), "{error}");
    });
}

#[test]
fn a_certificate_of_another_node_is_refused_by_either_side() {
    real(|env, root| async move {
        let authority = Authority::new();
        let one = member(&env, &root, &authority, 1);
        // Reached where node 2 should be.
        let three = member(&env, &root, &authority, 3);
        let address = three.transport.listen(ANY).await.unwrap().to_string();
        one.transport.set_peer(TWO, &address);
        let expected = HandshakeError::Certificate { name: "node-2.test.thalweg".into() };
        match call(&one, TWO).await {
            Err(CallError::NotSent(NotSent::Handshake { reason, .. })) => assert_eq!(reason, expected),
            other => panic!("{other:?}"),
        }

        // A node with a certificate for 5 that says that it is 6: it can only be made by reloading another identity's files.
        let folder = root.join("5");
        authority.issue(&folder, "node-5.test.thalweg");
        let tls = load(&env, &folder, 5).unwrap();
        let impostor = node(&env, 6, Some(tls));
        impostor.transport.set_peer(NodeId(3), &address);
        let error = call(&impostor, NodeId(3)).await.unwrap_err().to_string();
        assert!(error.contains("node-6.test.thalweg"), "{error}");
        let seed = impostor.transport.call_at(&address, request(ECHO, "", vec![]), LONG).await;
        assert!(seed.unwrap_err().to_string().contains("node-6.test.thalweg"));

        // And called as a seed, where the caller doesn't know whom to expect.
        let address = impostor.transport.listen(ANY).await.unwrap().to_string();
        let seed = one.transport.call_at(&address, request(ECHO, "", vec![]), LONG).await;
        assert!(seed.unwrap_err().to_string().contains("node-6.test.thalweg"));
    });
}

#[test]
fn files_that_do_not_fit_are_named() {
    real(|env, root| async move {
        let authority = Authority::new();
        let folder = root.join("files");
        let error = || load(&env, &folder, 1).err().unwrap().to_string();
        assert!(error().contains("certificate.pem"), "{}", error());
        authority.issue(&folder, "node-2.test.thalweg");
        assert!(error().contains("node-1.test.thalweg"), "{}", error());
        authority.issue(&folder, "node-1.test.thalweg");
        load(&env, &folder, 1).unwrap();
        for file in ["certificate.pem", "key.pem", "authority.pem"] {
            authority.issue(&folder, "node-1.test.thalweg");
            write(&folder.join(file), "no PEM");
            assert!(error().contains(file), "{}", error());
        }
        authority.issue(&folder, "node-1.test.thalweg");
        Authority::new().issue(&root.join("other"), "node-1.test.thalweg");
        std::fs::copy(root.join("other/key.pem"), folder.join("key.pem")).unwrap();
        assert!(matches!(load(&env, &folder, 1), Err(TlsError::Unusable(_))), "another certificate's key");
    });
}

#[test]
fn an_expired_certificate_is_refused() {
    real(|env, root| async move {
        let authority = Authority::new();
        let one = member(&env, &root, &authority, 1);
        let folder = root.join("2");
        authority.issue_expired(&folder, "node-2.test.thalweg");
        let two = node(&env, 2, Some(load(&env, &folder, 2).unwrap()));
        let reason = refusal(&one, &two).await;
        assert!(reason.contains("expired") || reason.contains("Expired"), "{reason}");
    });
}

#[test]
fn renewed_files_are_taken_up_and_bad_ones_are_not() {
    real(|env, root| async move {
        let (old, new) = (Authority::new(), Authority::new());
        let (one, two) = (member(&env, &root, &old, 1), member(&env, &root, &old, 2));
        let address = two.transport.listen(ANY).await.unwrap().to_string();
        one.transport.set_peer(TWO, &address);
        call(&one, TWO).await.unwrap();

        // By hand: what was read is in use, what is bad is refused once.
        let folder = root.join("by hand");
        old.issue(&folder, "node-3.test.thalweg");
        let tls = load(&env, &folder, 3).unwrap();
        assert!(!tls.reload().unwrap(), "nothing has changed");
        write(&folder.join("certificate.pem"), "no PEM");
        assert!(matches!(tls.reload(), Err(TlsError::Pem { .. })));
        assert!(!tls.reload().unwrap(), "the same bad file again");
        old.issue(&folder, "node-3.test.thalweg");
        assert!(tls.reload().unwrap());

        // By itself: both nodes move to another authority; neither their connection nor their processes end.
        new.issue(&root.join("1"), "node-1.test.thalweg");
        new.issue(&root.join("2"), "node-2.test.thalweg");
        let began = env.clock.monotonic();
        while one.transport.call_at(&address, request(ECHO, "", vec![]), LONG).await.is_err() {
            assert!(env.clock.monotonic() - began < LONG);
            env.clock.sleep(Duration::from_millis(5)).await;
        }
        let outsider = member(&env, &root, &new, 4);
        let joined = || outsider.transport.call_at(&address, request(ECHO, "", vec![]), LONG);
        while joined().await.is_err() {
            assert!(env.clock.monotonic() - began < LONG, "the new authority is not taken up");
            env.clock.sleep(Duration::from_millis(5)).await;
        }
        call(&one, TWO).await.unwrap();
        assert_eq!(one.metric("thalweg_transport_connect_failures_total"), one.outcome("not_sent"));
        one.transport.close().await;
        two.transport.close().await;
        eventually(&env, "all ends", || two.metric("thalweg_transport_connections_open") == 0.0).await;
    });
}
