//! The first exchange on a connection, from both sides. What is checked, in this order: the protocol, its version, the cluster, the
//! node.

use std::io;
use std::sync::Arc;

use env::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use types::NodeId;

use crate::hello::{Hello, PREFIX_LEN, Prefix, Welcome};
use crate::{HandshakeError, Identity};

/// Why there was no handshake.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
}

/// The caller's side: says `hello`, returns who is there.
pub(crate) async fn call(stream: &mut dyn Stream, hello: &Hello) -> Result<NodeId, Failure> {
    stream.write_all(&hello.encode()).await?;
    stream.flush().await?;
    let (prefix, body) = read(stream).await?;
    Prefix::decode(&prefix)?.negotiate()?;
    let welcome = Welcome::decode(&prefix, &body)?;
    check_cluster(&hello.cluster, &welcome.cluster)?;
    if let Some(meant) = hello.meant.filter(|meant| *meant != welcome.node) {
        return Err(HandshakeError::Node { meant, found: welcome.node }.into());
    }
    match welcome.refusal {
        Some(reason) => Err(HandshakeError::Refused(reason).into()),
        None => Ok(welcome.node),
    }
}

/// The called node's side: returns the hello of a caller who is welcome. `check` has the last word.
pub(crate) async fn answer(
    stream: &mut dyn Stream,
    identity: &Identity,
    check: impl FnOnce(&Hello) -> Result<(), HandshakeError>,
) -> Result<Hello, Failure> {
    let (prefix, body) = read(stream).await?;
    let hello = judge(identity, &prefix, &body).and_then(|hello| check(&hello).map(|()| hello));
    let refusal = hello.as_ref().err().map(|error| Arc::from(&*error.to_string()));
    let welcome = Welcome { node: identity.node(), cluster: identity.cluster().into(), refusal };
    stream.write_all(&welcome.encode()).await?;
    stream.flush().await?;
    if hello.is_err() {
        stream.shutdown().await?;
    }
    Ok(hello?)
}

fn judge(identity: &Identity, prefix: &[u8; PREFIX_LEN], body: &[u8]) -> Result<Hello, HandshakeError> {
    Prefix::decode(prefix)?.negotiate()?;
    let hello = Hello::decode(prefix, body)?;
    check_cluster(identity.cluster(), &hello.cluster)?;
    match hello.meant {
        Some(meant) if meant != identity.node() => Err(HandshakeError::Node { meant, found: identity.node() }),
        _ => Ok(hello),
    }
}

fn check_cluster(ours: &str, theirs: &str) -> Result<(), HandshakeError> {
    if ours == theirs { Ok(()) } else { Err(HandshakeError::Cluster { ours: ours.into(), theirs: theirs.into() }) }
}

/// Reads prefix and body, whatever their version.
async fn read(stream: &mut dyn Stream) -> Result<([u8; PREFIX_LEN], Vec<u8>), Failure> {
    let mut prefix = [0; PREFIX_LEN];
    stream.read_exact(&mut prefix).await?;
    let mut body = vec![0; Prefix::decode(&prefix)?.body_len];
    stream.read_exact(&mut body).await?;
    Ok((prefix, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lane;
    use crate::hello::{Version, WIRE_MAJOR, WIRE_MINOR};

    const OURS: Version = Version { major: WIRE_MAJOR, minor: WIRE_MINOR };
    const LATER: Version = Version { major: WIRE_MAJOR + 1, minor: 4 };

    fn hello() -> Hello {
        Hello { from: NodeId(1), meant: Some(NodeId(2)), lane: Lane::Control, connection: 0, cluster: "eu".into() }
    }

    fn identity(cluster: &str, node: u64) -> Identity {
        Identity::new(cluster, NodeId(node)).unwrap()
    }

    /// Both sides' results for a caller that says `hello` to the node of `identity`.
    async fn exchange(hello: &Hello, identity: &Identity) -> (Result<NodeId, Failure>, Result<Hello, Failure>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        tokio::join!(call(&mut ours, hello), answer(&mut theirs, identity, |_| Ok(())))
    }

    fn reason<T>(result: Result<T, Failure>) -> HandshakeError {
        match result {
            Err(Failure::Handshake(reason)) => reason,
            Err(failure) => panic!("{failure}"),
            Ok(_) => panic!("the handshake succeeded"),
        }
    }

    #[tokio::test]
    async fn both_sides_agree_when_cluster_and_node_fit() {
        let (node, from) = exchange(&hello(), &identity("eu", 2)).await;
        assert_eq!((node.unwrap(), from.unwrap()), (NodeId(2), hello()));
        let (node, _) = exchange(&Hello { meant: None, ..hello() }, &identity("eu", 7)).await;
        assert_eq!(node.unwrap(), NodeId(7), "a caller that means nobody learns who is there");
    }

    #[tokio::test]
    async fn both_sides_name_another_cluster_and_another_node() {
        let (caller, called) = exchange(&hello(), &identity("us", 2)).await;
        assert_eq!(reason(caller), HandshakeError::Cluster { ours: "eu".into(), theirs: "us".into() });
        assert_eq!(reason(called), HandshakeError::Cluster { ours: "us".into(), theirs: "eu".into() });

        let (caller, called) = exchange(&hello(), &identity("eu", 3)).await;
        let other = HandshakeError::Node { meant: NodeId(2), found: NodeId(3) };
        assert_eq!((reason(caller), reason(called)), (other.clone(), other));
    }

    #[tokio::test]
    async fn a_caller_of_another_major_version_is_told_which_one_is_spoken() {
        let (mut caller, mut called) = tokio::io::duplex(4096);
        caller.write_all(&hello().encode_as(LATER)).await.unwrap();
        let refused = answer(&mut called, &identity("eu", 2), |_| Ok(())).await;
        assert_eq!(reason(refused), HandshakeError::Version { ours: OURS, theirs: LATER });
        let (prefix, body) = read(&mut caller).await.unwrap();
        assert_eq!(Prefix::decode(&prefix).unwrap().version, OURS);
        let told = Welcome::decode(&prefix, &body).unwrap().refusal.unwrap();
        assert!(told.contains(&LATER.to_string()), "{told}");
    }

    #[tokio::test]
    async fn a_called_node_of_another_major_version_is_named() {
        let (mut caller, mut called) = tokio::io::duplex(4096);
        let welcome = Welcome { node: NodeId(2), cluster: "eu".into(), refusal: None };
        called.write_all(&welcome.encode_as(LATER)).await.unwrap();
        let refused = call(&mut caller, &hello()).await;
        assert_eq!(reason(refused), HandshakeError::Version { ours: OURS, theirs: LATER });
    }

    #[tokio::test]
    async fn a_later_minor_version_may_say_more() {
        let (mut caller, mut called) = tokio::io::duplex(4096);
        let minor = Version { minor: WIRE_MINOR + 1, ..OURS };
        caller.write_all(&hello().encode_as(minor)).await.unwrap();
        assert_eq!(answer(&mut called, &identity("eu", 2), |_| Ok(())).await.unwrap(), hello());
    }

    #[tokio::test]
    async fn a_refusal_of_the_last_word_reaches_the_caller() {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let called = identity("eu", 2);
        let no = |_: &Hello| Err(HandshakeError::Refused("not today".into()));
        let hello = hello();
        let (caller, _) = tokio::join!(call(&mut ours, &hello), answer(&mut theirs, &called, no));
        assert!(reason(caller).to_string().contains("not today"));
    }

    #[tokio::test]
    async fn somebody_else_is_recognised_by_the_first_bytes() {
        let (mut caller, mut called) = tokio::io::duplex(4096);
        caller.write_all(b"GET / HTTP/1.1\r\nHost: thalweg\r\n\r\n").await.unwrap();
        assert_eq!(reason(answer(&mut called, &identity("eu", 2), |_| Ok(())).await), HandshakeError::NotThalweg);
    }
}
