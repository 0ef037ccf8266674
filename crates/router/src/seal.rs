//! Authenticated text: what a client may carry but not make or change.

use base64_simd::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the authentication code: HMAC-SHA256 cut to 128 bits, which nobody guesses in the five minutes a token lives.
const CODE_BYTES: usize = 16;

/// Seals and opens under the cluster's key, so that every node opens what another has sealed.
pub(crate) struct Sealer {
    /// Keyed once, with the purpose in it; each use is a clone.
    keyed: Hmac<Sha256>,
}

impl Sealer {
    /// What was sealed for one purpose does not open for another.
    pub(crate) fn new(key: &[u8; 32], purpose: &'static str) -> Sealer {
        // HMAC takes keys of any length, so that this never fails.
        let mut keyed: Hmac<Sha256> = Hmac::new_from_slice(key).expect("a key of any length");
        keyed.update(purpose.as_bytes());
        keyed.update(&[0]);
        Sealer { keyed }
    }

    /// Base64 of the content and its code.
    pub(crate) fn seal(&self, content: &[u8]) -> String {
        let mut mac = self.keyed.clone();
        mac.update(content);
        let code = mac.finalize().into_bytes();
        let mut sealed = Vec::with_capacity(content.len() + CODE_BYTES);
        sealed.extend_from_slice(content);
        sealed.extend_from_slice(&code[..CODE_BYTES]);
        STANDARD.encode_to_string(&sealed)
    }

    /// The content, if it is `N` bytes that this cluster has sealed, and not one character differs.
    pub(crate) fn open<const N: usize>(&self, text: &str) -> Option<[u8; N]> {
        let bytes = N + CODE_BYTES;
        // The exact length first, so that nothing of a long forgery is looked at.
        if text.len() != bytes.div_ceil(3) * 4 {
            return None;
        }
        let sealed = STANDARD.decode_to_vec(text).ok().filter(|sealed| sealed.len() == bytes)?;
        let (content, code) = sealed.split_first_chunk::<N>()?;
        let mut mac = self.keyed.clone();
        mac.update(content);
        // Compares in constant time.
        mac.verify_truncated_left(code).ok()?;
        Some(*content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens(key: [u8; 32], content: [u8; 37]) {
            let sealer = Sealer::new(&key, "test");
            prop_assert_eq!(sealer.open::<37>(&sealer.seal(&content)), Some(content));
        }

        #[test]
        fn any_flipped_bit_of_the_text_is_refused(content: [u8; 37], at: prop::sample::Index, bit in 0u8..8) {
            let sealer = Sealer::new(&[7; 32], "test");
            let mut text = sealer.seal(&content).into_bytes();
            let at = at.index(text.len());
            text[at] ^= 1 << bit;
            prop_assert_eq!(String::from_utf8(text).ok().and_then(|text| sealer.open::<37>(&text)), None);
        }

        #[test]
        fn any_flipped_bit_of_the_bytes_is_refused(content: [u8; 37], at in 0usize..53, bit in 0u8..8) {
            let sealer = Sealer::new(&[7; 32], "test");
            let mut sealed = STANDARD.decode_to_vec(sealer.seal(&content)).unwrap();
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(sealer.open::<37>(&STANDARD.encode_to_string(&sealed)), None);
        }

        #[test]
        fn another_key_opens_nothing(key: [u8; 32], other: [u8; 32], content: [u8; 37]) {
            prop_assume!(key != other);
            prop_assert_eq!(Sealer::new(&other, "test").open::<37>(&Sealer::new(&key, "test").seal(&content)), None);
        }

        #[test]
        fn another_purpose_opens_nothing(content: [u8; 37]) {
            let sealed = Sealer::new(&[7; 32], "iterator").seal(&content);
            prop_assert_eq!(Sealer::new(&[7; 32], "page").open::<37>(&sealed), None);
        }

        #[test]
        fn another_length_is_refused(content: [u8; 37], cut in 1usize..72) {
            let sealer = Sealer::new(&[7; 32], "test");
            let text = sealer.seal(&content);
            prop_assert_eq!(sealer.open::<37>(&text[..text.len() - cut]), None);
            prop_assert_eq!(sealer.open::<36>(&text), None);
        }

        #[test]
        fn arbitrary_text_is_refused(text in "\\PC{0,100}") {
            prop_assert_eq!(Sealer::new(&[7; 32], "test").open::<37>(&text), None);
        }
    }
}
