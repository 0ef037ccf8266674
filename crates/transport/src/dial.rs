use std::io;
use std::sync::Arc;

use env::Stream;
use types::NodeId;

use crate::handshake::{self, Failure};
use crate::hello::Hello;
use crate::shared::Shared;
use crate::within::within;
use crate::{Lane, NotSent};

/// Connects to `address` and shakes hands with whoever is there; with `meant`, only with that node.
///
/// # Errors
/// [`NotSent::Unreachable`] or [`NotSent::Handshake`], by [`crate::Options::handshake_deadline`].
pub(crate) async fn dial(
    shared: &Shared,
    address: &Arc<str>,
    meant: Option<NodeId>,
    lane: Lane,
    connection: u8,
) -> Result<(NodeId, Box<dyn Stream>), NotSent> {
    let hello =
        Hello { from: shared.identity.node(), meant, lane, connection, cluster: shared.identity.cluster().into() };
    let deadline = shared.options.handshake_deadline;
    let dialled = within(&*shared.env.clock, deadline, async {
        let stream = connect(shared, address).await?;
        let Some(tls) = &shared.tls else {
            return shake_hands(stream, &hello).await.map_err(in_words);
        };
        let (stream, certificate) = tls.connect(stream).await.map_err(Failure::Tls)?;
        // Before anything is said, where it is known already who it must be.
        meant.map_or(Ok(()), |meant| certificate.check(&hello.cluster, meant))?;
        let (node, stream) = shake_hands(stream, &hello).await?;
        certificate.check(&hello.cluster, node)?;
        Ok((node, stream))
    });
    let failure = match dialled.await {
        Some(Ok(dialled)) => return Ok(dialled),
        Some(Err(failure)) => failure,
        None => Failure::Io(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {deadline:?}"))),
    };
    shared.meters.connect_failures.inc();
    Err(match failure {
        failure @ (Failure::Io(_) | Failure::Tls(_)) => {
            NotSent::Unreachable { address: Arc::clone(address), reason: failure.to_string().into() }
        }
        Failure::Handshake(reason) => NotSent::Handshake { address: Arc::clone(address), reason },
    })
}

async fn shake_hands(mut stream: Box<dyn Stream>, hello: &Hello) -> Result<(NodeId, Box<dyn Stream>), Failure> {
    let node = handshake::call(&mut *stream, hello).await?;
    Ok((node, stream))
}

/// A node that wants TLS closes a connection that begins otherwise.
fn in_words(failure: Failure) -> Failure {
    match failure {
        Failure::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Failure::Io(io::Error::new(error.kind(), format!("it closed the connection, does it want TLS? ({error})")))
        }
        failure => failure,
    }
}

/// A connection to the first address of the name that takes one.
async fn connect(shared: &Shared, address: &str) -> io::Result<Box<dyn Stream>> {
    let found = shared.env.network.resolve(address).await?;
    // So that one address that swallows everything leaves time for the others.
    let share = shared.options.handshake_deadline / u32::try_from(found.len().max(1)).unwrap_or(u32::MAX);
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in found {
        match within(&*shared.env.clock, share, shared.env.network.connect(address)).await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failed = error,
            None => failed = io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {share:?}")),
        }
    }
    Err(failed)
}
