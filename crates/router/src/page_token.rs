//! The `NextToken` of ListShards, sealed; the numbers are big endian:
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | version, 1 |
//! | 8 | the stream's id |
//! | 4 | the last shard given |
//! | 1, 8 | which shards: 0 all, 1 after a shard, 2 open, 3 open at (ms), 4 open since (ms) |
//! | 8 | when it was made (ms) |

use types::limits::NEXT_TOKEN_LIFETIME_MS;
use types::{ShardId, TimestampMs};

use crate::filter::Selection;
use crate::seal::Sealer;
use crate::{InvalidArgument, RouterError};

const VERSION: u8 = 1;
const BYTES: usize = 1 + 8 + 4 + 1 + 8 + 8;

/// Where a listing of shards stands: it stands for the stream and the filter of the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageToken {
    pub(crate) stream: u64,
    pub(crate) after: ShardId,
    pub(crate) selection: Selection,
    pub(crate) issued: TimestampMs,
}

impl PageToken {
    pub(crate) fn seal(&self, sealer: &Sealer) -> String {
        let (kind, argument) = encode_selection(self.selection);
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.stream.to_be_bytes());
        bytes[9..13].copy_from_slice(&self.after.0.to_be_bytes());
        bytes[13] = kind;
        bytes[14..22].copy_from_slice(&argument.to_be_bytes());
        bytes[22..].copy_from_slice(&self.issued.0.to_be_bytes());
        sealer.seal(&bytes)
    }

    /// # Errors
    /// [`InvalidArgument::NextToken`] for what this cluster has not made, [`RouterError::ExpiredNextToken`] after five minutes.
    pub(crate) fn open(sealer: &Sealer, text: &str, now: TimestampMs) -> Result<PageToken, RouterError> {
        let token = sealer.open(text).and_then(|bytes| PageToken::decode(&bytes)).ok_or(InvalidArgument::NextToken)?;
        if now.0 > token.issued.0.saturating_add(NEXT_TOKEN_LIFETIME_MS) {
            return Err(RouterError::ExpiredNextToken);
        }
        Ok(token)
    }

    fn decode(bytes: &[u8; BYTES]) -> Option<PageToken> {
        let (version, rest) = bytes.split_first()?;
        let (stream, rest) = rest.split_first_chunk()?;
        let (after, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first()?;
        let (argument, rest) = rest.split_first_chunk()?;
        let (issued, _) = rest.split_first_chunk()?;
        (*version == VERSION).then_some(PageToken {
            stream: u64::from_be_bytes(*stream),
            after: ShardId(u32::from_be_bytes(*after)),
            selection: decode_selection(*kind, u64::from_be_bytes(*argument))?,
            issued: TimestampMs(u64::from_be_bytes(*issued)),
        })
    }
}

fn encode_selection(selection: Selection) -> (u8, u64) {
    match selection {
        Selection::All => (0, 0),
        Selection::After(shard) => (1, u64::from(shard.0)),
        Selection::Open => (2, 0),
        Selection::OpenAt(at) => (3, at.0),
        Selection::OpenSince(at) => (4, at.0),
    }
}

fn decode_selection(kind: u8, argument: u64) -> Option<Selection> {
    match kind {
        0 => Some(Selection::All),
        1 => u32::try_from(argument).ok().map(|shard| Selection::After(ShardId(shard))),
        2 => Some(Selection::Open),
        3 => Some(Selection::OpenAt(TimestampMs(argument))),
        4 => Some(Selection::OpenSince(TimestampMs(argument))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealer() -> Sealer {
        Sealer::new(&[9; 32], "page")
    }

    fn selections() -> impl Strategy<Value = Selection> {
        prop_oneof![
            Just(Selection::All),
            any::<u32>().prop_map(|shard| Selection::After(ShardId(shard))),
            Just(Selection::Open),
            any::<u64>().prop_map(|at| Selection::OpenAt(TimestampMs(at))),
            any::<u64>().prop_map(|at| Selection::OpenSince(TimestampMs(at))),
        ]
    }

    #[test]
    fn a_page_token_lives_five_minutes() {
        let token = PageToken { stream: 1, after: ShardId(2), selection: Selection::Open, issued: TimestampMs(1_000) };
        let text = token.seal(&sealer());
        assert_eq!(PageToken::open(&sealer(), &text, TimestampMs(301_000)), Ok(token));
        assert_eq!(PageToken::open(&sealer(), &text, TimestampMs(301_001)), Err(RouterError::ExpiredNextToken));
    }

    proptest! {
        #[test]
        fn a_token_says_what_went_in(stream: u64, after: u32, selection in selections(), issued: u64) {
            let token = PageToken { stream, after: ShardId(after), selection, issued: TimestampMs(issued) };
            prop_assert_eq!(PageToken::open(&sealer(), &token.seal(&sealer()), token.issued), Ok(token));
        }

        #[test]
        fn a_token_with_a_flipped_bit_is_refused(at: prop::sample::Index, bit in 0u8..8, selection in selections()) {
            let token = PageToken { stream: 1, after: ShardId(2), selection, issued: TimestampMs(1_000) };
            let mut text = token.seal(&sealer()).into_bytes();
            let at = at.index(text.len());
            text[at] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(text) {
                let opened = PageToken::open(&sealer(), &text, token.issued);
                prop_assert_eq!(opened, Err(InvalidArgument::NextToken.into()));
            }
        }
    }
}
