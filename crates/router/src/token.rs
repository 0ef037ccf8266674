//! Shard iterators, sealed; the numbers are big endian:
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | version, 1 |
//! | 8 | the stream's id: a stream made anew under the same name has another |
//! | 4 | shard index |
//! | 8 | number of the next record to read |
//! | 8 | when it was made (ms) |
//! | 8 | random, so that each call gives a new one, as at AWS |
//!
//! In base64 with the authentication code: 72 characters, of 512 that the service model allows.

use types::limits::ITERATOR_LIFETIME_MS;
use types::{RecordNumber, ShardId, TimestampMs};

use crate::seal::Sealer;
use crate::{InvalidArgument, RouterError};

const VERSION: u8 = 1;
const BYTES: usize = 1 + 8 + 4 + 8 + 8 + 8;

/// What an iterator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IteratorToken {
    pub(crate) stream: u64,
    pub(crate) shard: ShardId,
    pub(crate) next: RecordNumber,
    pub(crate) issued: TimestampMs,
}

impl IteratorToken {
    pub(crate) fn seal(&self, sealer: &Sealer, nonce: u64) -> String {
        let mut bytes = [0; BYTES];
        let mut rest = &mut bytes[..];
        let fields: [&[u8]; 6] = [
            &[VERSION],
            &self.stream.to_be_bytes(),
            &self.shard.0.to_be_bytes(),
            &self.next.0.to_be_bytes(),
            &self.issued.0.to_be_bytes(),
            &nonce.to_be_bytes(),
        ];
        for field in fields {
            let (here, after) = rest.split_at_mut(field.len());
            here.copy_from_slice(field);
            rest = after;
        }
        sealer.seal(&bytes)
    }

    /// Reads an iterator; quotes around it are taken off, as AWS does for shell scripts that leave them on.
    ///
    /// # Errors
    /// [`InvalidArgument::Iterator`] for what this cluster has not made, [`RouterError::ExpiredIterator`] after five minutes.
    pub(crate) fn open(sealer: &Sealer, text: &str, now: TimestampMs) -> Result<IteratorToken, RouterError> {
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let bytes = sealer.open::<BYTES>(bare).ok_or(InvalidArgument::Iterator)?;
        let token = IteratorToken::decode(&bytes).ok_or(InvalidArgument::Iterator)?;
        if now.0 > token.issued.0.saturating_add(ITERATOR_LIFETIME_MS) {
            return Err(RouterError::ExpiredIterator { created_ms: token.issued.0, now_ms: now.0 });
        }
        Ok(token)
    }

    fn decode(bytes: &[u8; BYTES]) -> Option<IteratorToken> {
        let (version, rest) = bytes.split_first()?;
        let (stream, rest) = rest.split_first_chunk()?;
        let (shard, rest) = rest.split_first_chunk()?;
        let (next, rest) = rest.split_first_chunk()?;
        let (issued, _nonce) = rest.split_first_chunk()?;
        (*version == VERSION).then(|| IteratorToken {
            stream: u64::from_be_bytes(*stream),
            shard: ShardId(u32::from_be_bytes(*shard)),
            next: RecordNumber(u64::from_be_bytes(*next)),
            issued: TimestampMs(u64::from_be_bytes(*issued)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: IteratorToken =
        IteratorToken { stream: 3, shard: ShardId(1), next: RecordNumber(77), issued: TimestampMs(1_000_000) };

    fn sealer() -> Sealer {
        Sealer::new(&[9; 32], "iterator")
    }

    #[test]
    fn an_iterator_lives_five_minutes_and_names_both_times_after() {
        let (sealer, text) = (sealer(), TOKEN.seal(&sealer(), 0));
        assert_eq!(IteratorToken::open(&sealer, &text, TimestampMs(1_300_000)), Ok(TOKEN));
        let expired = RouterError::ExpiredIterator { created_ms: 1_000_000, now_ms: 1_300_001 };
        assert_eq!(IteratorToken::open(&sealer, &text, TimestampMs(1_300_001)), Err(expired));
        // A clock that was set back makes it no younger than new.
        assert_eq!(IteratorToken::open(&sealer, &text, TimestampMs(0)), Ok(TOKEN));
    }

    #[test]
    fn quotes_around_an_iterator_are_taken_off_and_only_whole_ones() {
        let (sealer, text) = (sealer(), TOKEN.seal(&sealer(), 0));
        assert_eq!(IteratorToken::open(&sealer, &format!("\"{text}\""), TOKEN.issued), Ok(TOKEN));
        for bad in
            [format!("\"{text}"), format!("{text}\""), format!("'{text}'"), format!("\"\"{text}\"\""), "\"".into()]
        {
            assert_eq!(
                IteratorToken::open(&sealer, &bad, TOKEN.issued),
                Err(InvalidArgument::Iterator.into()),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_same_position_gives_another_text_each_time() {
        assert_ne!(TOKEN.seal(&sealer(), 1), TOKEN.seal(&sealer(), 2));
        assert_eq!(TOKEN.seal(&sealer(), 1).len(), 72);
    }

    #[test]
    fn another_version_is_refused_even_if_sealed() {
        let sealer = sealer();
        let text = sealer.seal(&[2; BYTES]);
        assert_eq!(IteratorToken::open(&sealer, &text, TOKEN.issued), Err(InvalidArgument::Iterator.into()));
    }

    proptest! {
        #[test]
        fn a_token_says_what_went_in(stream: u64, shard: u32, next: u64, issued: u64, nonce: u64) {
            let token = IteratorToken {
                stream, shard: ShardId(shard), next: RecordNumber(next), issued: TimestampMs(issued),
            };
            prop_assert_eq!(IteratorToken::open(&sealer(), &token.seal(&sealer(), nonce), token.issued), Ok(token));
        }

        #[test]
        fn a_token_with_a_flipped_bit_is_refused(at: prop::sample::Index, bit in 0u8..8, nonce: u64) {
            let mut text = TOKEN.seal(&sealer(), nonce).into_bytes();
            let at = at.index(text.len());
            text[at] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(text) {
                let opened = IteratorToken::open(&sealer(), &text, TOKEN.issued);
                prop_assert_eq!(opened, Err(InvalidArgument::Iterator.into()));
            }
        }
    }
}
