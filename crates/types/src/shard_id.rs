use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ParseError;

/// A shard of a stream, counted up from 0 and never reused; printed as `shardId-000000000000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ShardId(pub u32);

impl ShardId {
    /// The greatest index: sequence numbers of AWS reserve the bit above.
    pub const MAX: ShardId = ShardId(0x7fff_ffff);
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shardId-{:012}", self.0)
    }
}

impl FromStr for ShardId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<ShardId, ParseError> {
        let digits = text.strip_prefix("shardId-").ok_or(ParseError::ShardId)?;
        if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseError::ShardId);
        }
        let index: u32 = digits.parse().map_err(|_| ParseError::ShardId)?;
        if index > ShardId::MAX.0 { Err(ParseError::ShardId) } else { Ok(ShardId(index)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_twelve_digits_and_reads_them_back() {
        for index in [0, 7, 1_000, ShardId::MAX.0] {
            let text = ShardId(index).to_string();
            assert_eq!(text.len(), "shardId-000000000000".len());
            assert_eq!(text.parse(), Ok(ShardId(index)));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let bad =
            ["", "0", "shardId-", "shardId-0", "shardid-000000000000", "shardId-00000000000a", "shardId-+00000000001"];
        for text in bad.into_iter().chain(["shardId-002147483648", "shardId-999999999999", "shardId-0000000000000"]) {
            assert_eq!(text.parse::<ShardId>(), Err(ParseError::ShardId), "{text}");
        }
    }
}
