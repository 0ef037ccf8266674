//! How the catalog's commands and its state are stored: a version byte, then bincode's standard configuration.
//! Small and rare, unlike records, which never pass through serde.

use bincode::config;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{CatalogCommand, CatalogState, FormatError};

const COMMAND_VERSION: u8 = 3;
const STATE_VERSION: u8 = 3;

/// Bytes of a command or a state at most. A shard takes about a hundred, so this is room for a million of them.
const BYTES_MAX: usize = 256 << 20;

impl CatalogCommand {
    /// The bytes of the catalog's Raft entry.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(COMMAND_VERSION, self)
    }

    /// Reads the bytes of a Raft entry.
    ///
    /// # Errors
    /// [`FormatError`] when they are malformed or of another version.
    pub fn decode(bytes: &[u8]) -> Result<CatalogCommand, FormatError> {
        decode(COMMAND_VERSION, bytes)
    }
}

impl CatalogState {
    /// The bytes of a snapshot.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(STATE_VERSION, self)
    }

    /// Reads a snapshot and checks it.
    ///
    /// # Errors
    /// [`FormatError`] when the bytes are malformed, of another version, or contradict themselves.
    pub fn decode(bytes: &[u8]) -> Result<CatalogState, FormatError> {
        let state: CatalogState = decode(STATE_VERSION, bytes)?;
        state.check().map_err(FormatError::Contradiction)?;
        Ok(state)
    }
}

fn encode(version: u8, value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![version];
    // Writing to memory fails only for values that serde can't describe, such as sequences of unknown length; the
    // types of this crate have none, and the tests encode each of them.
    bincode::serde::encode_into_std_write(value, &mut bytes, config::standard()).expect("plain values encode");
    bytes
}

fn decode<T: DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, FormatError> {
    let (first, body) = bytes.split_first().ok_or(FormatError::Empty)?;
    if *first != version {
        return Err(FormatError::Version(*first));
    }
    let limited = config::standard().with_limit::<BYTES_MAX>();
    let (value, used) =
        bincode::serde::decode_from_slice(body, limited).map_err(|error| FormatError::Malformed(error.to_string()))?;
    if used < body.len() { Err(FormatError::Excess(body.len() - used)) } else { Ok(value) }
}

#[cfg(test)]
mod tests;
