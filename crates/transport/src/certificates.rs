use std::sync::Arc;

use crate::Tls;
use crate::shared::{Closing, Shared};

/// Reads the certificates again from time to time, until the transport is closed.
pub(crate) async fn watch(mut closing: Closing, shared: Arc<Shared>, tls: Tls) {
    // The text of the last error, so that files that stay missing are logged once.
    let mut failed = String::new();
    loop {
        tokio::select! {
            biased;
            () = closing.begun() => return,
            () = shared.env.clock.sleep(shared.options.certificates_interval) => {}
        }
        match tls.reload() {
            Ok(true) => tracing::info!("the certificates for calls between nodes were renewed"),
            Ok(false) => {}
            Err(error) => {
                let text = error.to_string();
                if text != failed {
                    tracing::error!(error = text, "the certificates for calls between nodes stay as they were");
                }
                failed = text;
                continue;
            }
        }
        failed.clear();
    }
}
