//! Base64 against a decoder that is slow and obvious.

#![allow(clippy::unwrap_used, reason = "a test that meets an error should fail")]

use proptest::prelude::*;
use wire::{Blob, InvalidBase64};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bit by bit; `None` unless every character, the padding and the unused bits are right.
fn naive(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    let mut bits = Vec::new();
    for character in digits.chars() {
        let value = ALPHABET.find(character)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let (bytes, unused) = bits.split_at(bits.len() / 8 * 8);
    if unused.len() >= 6 || unused.contains(&1) || digits.len() + (unused.len() / 2) != text.len() {
        return None;
    }
    Some(bytes.chunks(8).map(|byte| byte.iter().fold(0, |sum, &bit| sum << 1 | bit as u8)).collect())
}

fn encode(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let blob = Blob::Base64(text.into());
    let mut decoded = vec![0; blob.decoded_len()];
    let result = blob.decode_into(&mut decoded).map(|()| decoded);
    prop_assert_eq!(result.clone().ok(), naive(text), "{:?}", text);
    let mut appended = b"before".to_vec();
    match blob.append_to(&mut appended) {
        Ok(()) => prop_assert_eq!(&appended[6..], &result.unwrap()[..]),
        Err(InvalidBase64) => prop_assert!(result.is_err() && appended == b"before"),
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_was_encoded_decodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = encode(&bytes);
        prop_assert_eq!(naive(&text), Some(bytes.clone()));
        let blob = Blob::Base64(text.into());
        prop_assert_eq!(blob.decoded_len(), bytes.len());
        let mut decoded = vec![0; bytes.len()];
        prop_assert_eq!(blob.decode_into(&mut decoded), Ok(()));
        prop_assert_eq!(decoded, bytes);
    }

    #[test]
    fn short_texts_are_accepted_exactly_if_the_naive_decoder_accepts_them(text in "[AQgw9+/=_\\- é]{0,12}") {
        check(&text)?;
    }

    #[test]
    fn one_changed_character_is_judged_as_the_naive_decoder_does(
        bytes in prop::collection::vec(any::<u8>(), 1..120),
        place in any::<prop::sample::Index>(),
        character in prop::sample::select(vec!['A', 'B', 'Q', '/', '=', '_', '-', ' ', '\n', '\0', '~']),
    ) {
        let mut text: Vec<char> = encode(&bytes).chars().collect();
        let place = place.index(text.len());
        text[place] = character;
        check(&text.into_iter().collect::<String>())?;
    }
}

#[test]
fn padding_and_stray_bits_are_judged_strictly() {
    for text in ["=", "====", "A===", "AA=A", "AB==", "AAB=", "AA", "AAA", "AA==AA==", "=+/=", "+/+="] {
        assert_eq!(naive(text), None, "{text}");
        check(text).unwrap();
    }
    for text in ["", "AA==", "AAA=", "AAAA", "+/+/"] {
        assert!(naive(text).is_some(), "{text}");
        check(text).unwrap();
    }
}

#[test]
fn a_destination_of_another_length_is_refused() {
    for blob in [Blob::Base64("AAAA".into()), Blob::Raw(b"abc")] {
        assert_eq!(blob.decoded_len(), 3);
        assert_eq!(blob.decode_into(&mut [0; 2]), Err(InvalidBase64));
        assert_eq!(blob.decode_into(&mut [0; 4]), Err(InvalidBase64));
        assert_eq!(blob.decode_into(&mut [0; 3]), Ok(()));
    }
}
