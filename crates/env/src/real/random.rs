use rand::TryRng;
use rand::rngs::SysRng;

use crate::Random;

/// The operating system's randomness, fit for keys.
pub struct RealRandom;

impl Random for RealRandom {
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = SysRng.try_fill_bytes(buffer) {
            // Without randomness keys would be guessable, and no caller could do anything better about it.
            tracing::error!(%error, "the operating system gives no randomness");
            std::process::abort();
        }
    }
}
