//! The constrained shapes of the service model (botocore 1.43), by their name there.

use super::{IntegerShape, Pattern, TextShape, pattern};

pub(crate) const STREAM_NAME: TextShape = TextShape::any().length(1, 128).pattern(&NAME);
pub(crate) const STREAM_ARN: TextShape = TextShape::any().length(1, 2048).pattern(&ARN);
pub(crate) const STREAM_ID: TextShape = TextShape::any().length(1, 24).pattern(&ID);
pub(crate) const SHARD_ID: TextShape = TextShape::any().length(1, 128).pattern(&NAME);
pub(crate) const PARTITION_KEY: TextShape = TextShape::any().length(1, 256);
pub(crate) const HASH_KEY: TextShape = TextShape::any().pattern(&HASH_KEY_PATTERN);
pub(crate) const SEQUENCE_NUMBER: TextShape = TextShape::any().pattern(&SEQUENCE_NUMBER_PATTERN);
pub(crate) const NEXT_TOKEN: TextShape = TextShape::any().length(1, 1_048_576);
pub(crate) const SHARD_ITERATOR: TextShape = TextShape::any().length(1, 512);
pub(crate) const TAG_KEY: TextShape = TextShape::any().length(1, 128);
pub(crate) const TAG_VALUE: TextShape = TextShape::any().length(0, 256);

pub(crate) const POSITIVE_INTEGER: IntegerShape = IntegerShape { min: 1, max: None };
pub(crate) const NATURAL_INTEGER: IntegerShape = IntegerShape { min: 0, max: None };
pub(crate) const MAX_RECORD_SIZE_IN_KIB: IntegerShape = IntegerShape { min: 1024, max: Some(10240) };
/// `DescribeStreamInputLimit`, `ListStreamsInputLimit`, `ListShardsInputLimit` and `GetRecordsInputLimit` are alike.
pub(crate) const LIMIT: IntegerShape = IntegerShape { min: 1, max: Some(10000) };

/// Most bytes in a `Data` blob by the model; what a stream allows is less and checked above this crate.
pub(crate) const DATA_LENGTH_MAX: usize = 10_485_760;
/// Most entries of PutRecords.
pub(crate) const RECORDS_MAX: usize = 500;

static NAME: Pattern = Pattern { text: "[a-zA-Z0-9_.-]+", matches: pattern::is_name };
static ARN: Pattern = Pattern { text: r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+", matches: pattern::is_stream_arn };
static ID: Pattern = Pattern { text: "[a-z0-9]{20}-[a-z0-9]{3}", matches: pattern::is_stream_id };
static HASH_KEY_PATTERN: Pattern = Pattern { text: r"0|([1-9]\d{0,38})", matches: pattern::is_hash_key };
static SEQUENCE_NUMBER_PATTERN: Pattern = Pattern { text: r"0|([1-9]\d{0,128})", matches: pattern::is_sequence_number };

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn agrees(pattern: &Pattern, text: &str) {
        // Java's classes are ASCII and its dot stops at line ends, which `(?-u)` and `(?R)` can't say for all of them, so
        // the texts below have no other line ends than \n.
        let source = pattern.text.replace(r"\d", "[0-9]").replace(r"\S", r"[^ \t\n\x0B\x0C\r]");
        let regex = Regex::new(&format!("^(?:{source})$")).unwrap();
        assert_eq!((pattern.matches)(text), regex.is_match(text), "{} on {text:?}", pattern.text);
    }

    proptest! {
        #[test]
        fn hand_written_patterns_agree_with_the_regular_expressions(text in prop_oneof![
            "[a-z0-9A-Z_.-]{0,30}",
            ".{0,20}",
            "[0-9]{0,45}",
            "[0-9]{125,135}",
            "[a-z0-9]{19,21}-?[a-z0-9]{2,4}",
            "arn:aws(-cn)?:?kinesis:[a-z\n]{0,3}:[0-9]{11,13}:stream/.{0,5}",
            "arn:aws:kinesis:(:[0-9]{12}|:stream/|x| ){0,4}:[0-9]{12}:stream/(a|:[0-9]{12}:stream/| |é){0,4}",
        ]) {
            for pattern in [&NAME, &ARN, &ID, &HASH_KEY_PATTERN, &SEQUENCE_NUMBER_PATTERN] {
                prop_assume!(!text.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}']));
                agrees(pattern, &text);
            }
        }
    }

    #[test]
    fn the_usual_values_match() {
        assert!(pattern::is_stream_arn("arn:aws:kinesis:us-east-1:123456789012:stream/orders"));
        assert!(pattern::is_stream_arn("arn:aws-us-gov:kinesis::123456789012:stream/a/consumer/b:1"));
        assert!(!pattern::is_stream_arn("arn:aws:kinesis:us-east-1:12345678901:stream/orders"));
        assert!(pattern::is_hash_key("340282366920938463463374607431768211455"));
        assert!(!pattern::is_hash_key("00"));
    }
}
