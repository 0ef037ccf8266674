//! Nodes of one process over real sockets.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "loopback/bounds.rs"]
mod bounds;
#[path = "loopback/calls.rs"]
mod calls;
#[path = "loopback/failures.rs"]
mod failures;
#[path = "loopback/strangers.rs"]
mod strangers;
mod support;

use std::net::{Ipv4Addr, SocketAddr};

use env::Env;
use transport::Options;
use types::NodeId;

use crate::support::Node;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);

/// Runs `test` in the real world.
fn real<F: Future<Output = ()>>(test: impl FnOnce(Env) -> F) {
    let root = tempfile::tempdir().unwrap();
    env::real::run(async { test(env::real::env(root.path().to_owned())).await }).unwrap();
}

/// Node 1, which knows node 2, which listens.
async fn pair(env: &Env, options: Options) -> (Node, Node) {
    let (one, two) = (Node::new(env, 1, options.clone()), Node::new(env, 2, options));
    let address = two.transport.listen(ANY).await.unwrap();
    one.transport.set_peer(TWO, &address.to_string());
    (one, two)
}
