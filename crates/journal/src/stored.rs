//! How small structures are stored: bincode, with a checksum around it wherever it stands.

use serde::Serialize;
use serde::de::DeserializeOwned;

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_fixed_int_encoding()
}

/// Encodes a structure of this crate.
pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, config()).unwrap_or_else(|error| {
        // Plain structures of numbers, bytes and vectors: encoding has no reason to fail, and a journal that cannot say what it
        // holds must not go on.
        panic!("encoding to memory failed: {error}")
    })
}

/// Decodes what [`encode`] made; `None` if it isn't that.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, config()).ok()?;
    (used == bytes.len()).then_some(value)
}
