//! The regular expressions of the model, written out: no allocation, one pass, no expression engine on the put path.

/// A pattern: AWS' text of it, for messages, and what it accepts.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) text: &'static str,
    pub(crate) matches: fn(&str) -> bool,
}

/// `[a-zA-Z0-9_.-]+`
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// `arn:aws.*:kinesis:.*:\d{12}:stream/\S+`
pub(crate) fn is_stream_arn(text: &str) -> bool {
    const STREAM: &str = ":stream/";
    text.match_indices(STREAM).any(|(index, _)| {
        let name = &text[index + STREAM.len()..];
        !name.is_empty() && !name.contains(is_space) && is_arn_up_to_account(&text[..index])
    })
}

/// `arn:aws.*:kinesis:.*:\d{12}`
fn is_arn_up_to_account(text: &str) -> bool {
    let Some((head, account)) = text.rsplit_once(':') else { return false };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = head.strip_prefix("arn:aws") else { return false };
    is_account && rest.contains(":kinesis:") && !rest.contains(is_line_end)
}

/// `[a-z0-9]{20}-[a-z0-9]{3}`
pub(crate) fn is_stream_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 24
        && bytes.iter().enumerate().all(|(index, &byte)| match index {
            20 => byte == b'-',
            _ => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
        })
}

/// `0|([1-9]\d{0,38})`
pub(crate) fn is_hash_key(text: &str) -> bool {
    is_decimal(text, 39)
}

/// `0|([1-9]\d{0,128})`
pub(crate) fn is_sequence_number(text: &str) -> bool {
    is_decimal(text, 129)
}

fn is_decimal(text: &str, digits_max: usize) -> bool {
    match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < digits_max && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Java's `\s`.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r')
}

/// What Java's `.` does not match.
fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
