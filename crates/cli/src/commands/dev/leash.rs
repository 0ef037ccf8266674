//! A node that was started by another process ends with it, however that one ends: the kernel closes the pipe between them.

use std::io::{self, Read};

/// Ends this process when its standard input does. At once, as in a crash: nobody is left to wait for a clean end, and nothing that
/// was acknowledged depends on one.
pub(super) fn hold() -> io::Result<()> {
    #[allow(clippy::disallowed_methods, reason = "it reads a blocking pipe, and must also end a start that hangs")]
    let thread = std::thread::Builder::new().name("leash".into()).spawn(|| {
        let mut byte = [0];
        loop {
            match io::stdin().read(&mut byte) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
            }
        }
        tracing::warn!("the process that started this node is gone, and so is this node");
        std::process::exit(1);
    });
    thread.map(drop)
}
