//! Binary members.

use std::borrow::Cow;

use base64_simd::{AsOut, STANDARD};

/// The bytes of a blob are not base64 of the standard alphabet with padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid base64")]
pub struct InvalidBase64;

/// A binary member of a request, still in the encoding of its protocol, so that it can be decoded straight to where it
/// will stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob<'a> {
    /// Base64 text, as in JSON. [`crate::decode`] has checked its length and padding, not yet its alphabet.
    Base64(Cow<'a, str>),
    /// The bytes themselves.
    Raw(&'a [u8]),
}

impl Default for Blob<'_> {
    fn default() -> Self {
        Self::Raw(&[])
    }
}

impl Blob<'_> {
    /// The exact number of bytes that decoding gives, found without looking at more than the padding; 0 for base64 whose
    /// length cannot be right (which [`crate::decode`] refuses).
    #[must_use]
    pub fn decoded_len(&self) -> usize {
        match self {
            Self::Base64(text) => STANDARD.decoded_length(text.as_bytes()).unwrap_or(0),
            Self::Raw(bytes) => bytes.len(),
        }
    }

    /// Decodes into `destination`, whose length must be [`Self::decoded_len`].
    ///
    /// # Errors
    /// [`InvalidBase64`] if the text has a character outside the standard alphabet, wrong padding or stray bits in its
    /// last character, or if `destination` has another length. What `destination` then contains is unspecified.
    pub fn decode_into(&self, destination: &mut [u8]) -> Result<(), InvalidBase64> {
        match self {
            Self::Base64(text) => {
                let exact = STANDARD.decoded_length(text.as_bytes()).map_err(|_| InvalidBase64)?;
                if exact != destination.len() {
                    return Err(InvalidBase64);
                }
                STANDARD.decode(text.as_bytes(), destination.as_out()).map(|_| ()).map_err(|_| InvalidBase64)
            }
            Self::Raw(bytes) if bytes.len() == destination.len() => {
                destination.copy_from_slice(bytes);
                Ok(())
            }
            Self::Raw(_) => Err(InvalidBase64),
        }
    }

    /// Appends the decoded bytes to `destination`, without clearing memory first.
    ///
    /// # Errors
    /// [`InvalidBase64`] as for [`Self::decode_into`]; `destination` is then as it was.
    pub fn append_to(&self, destination: &mut Vec<u8>) -> Result<(), InvalidBase64> {
        match self {
            Self::Base64(text) => STANDARD.decode_append(text.as_bytes(), destination).map_err(|_| InvalidBase64),
            Self::Raw(bytes) => {
                destination.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}
