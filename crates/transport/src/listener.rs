use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use env::{Listener, Stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::handshake::{self, Failure};
use crate::hello::Hello;
use crate::served;
use crate::shared::{Closing, Shared};
use crate::within::within;

/// Pause after a failed accept, as when the process has too many open files: trying at once would only burn a processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until the transport is closed. `closing` comes first, so that it is dropped last: whoever waits for that may
/// bind the address anew.
pub(crate) async fn run(closing: Closing, shared: Arc<Shared>, mut listener: Box<dyn Listener>) {
    let slots = Arc::new(Semaphore::new(shared.options.accepted_max.min(Semaphore::MAX_PERMITS)));
    let mut closed = closing.clone();
    loop {
        let accepted = tokio::select! {
            biased;
            () = closed.begun() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match Arc::clone(&slots).try_acquire_owned() {
                Ok(slot) => {
                    let connection = welcome(closing.clone(), Arc::clone(&shared), stream, peer, slot);
                    shared.spawn("transport accepted", Box::pin(connection));
                }
                Err(_) if shared.knocks.is_new("full") => {
                    tracing::warn!(%peer, "too many connections of nodes, one more was closed");
                }
                Err(_) => {}
            },
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                shared.env.clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Shakes hands, then serves.
async fn welcome(
    mut closing: Closing,
    shared: Arc<Shared>,
    stream: Box<dyn Stream>,
    peer: SocketAddr,
    _slot: OwnedSemaphorePermit,
) {
    let _open = shared.meters.connection();
    let clock = &*shared.env.clock;
    let handshake = shake_hands(&shared, stream);
    let hello = tokio::select! {
        biased;
        () = closing.begun() => return,
        hello = within(clock, shared.options.handshake_deadline, handshake) => hello,
    };
    match hello {
        Some(Ok((hello, stream))) => served::run(&shared, stream, &hello, &mut closing).await,
        // Checks of a load balancer, for one, connect and say nothing.
        Some(Err(Failure::Io(error))) => tracing::debug!(%peer, %error, "a connection ended in its handshake"),
        Some(Err(reason)) => {
            // By host: the port differs each time.
            if shared.knocks.is_new(&format!("{} {reason}", peer.ip())) {
                tracing::warn!(%peer, %reason, "a connection was refused");
            }
        }
        None => tracing::debug!(%peer, "a connection said nothing in time"),
    }
}

async fn shake_hands(shared: &Shared, mut stream: Box<dyn Stream>) -> Result<(Hello, Box<dyn Stream>), Failure> {
    let certificate = match &shared.tls {
        Some(tls) => {
            let (encrypted, certificate) = tls.accept(stream).await.map_err(Failure::Tls)?;
            stream = encrypted;
            Some(certificate)
        }
        None => None,
    };
    let check = |hello: &Hello| certificate.map_or(Ok(()), |certificate| certificate.check(&hello.cluster, hello.from));
    let hello = handshake::answer(&mut *stream, &shared.identity, check).await?;
    Ok((hello, stream))
}
