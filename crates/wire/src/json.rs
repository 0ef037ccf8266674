//! Writing JSON directly, for the replies and errors where serde would cost an intermediate step.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string. Only what JSON demands is escaped: quotes, backslashes and control characters.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[written..index]);
        write_escape(out, byte);
        written = index + 1;
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

/// Appends a decimal integer.
pub(crate) fn write_integer(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = decimal_digit(value);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends milliseconds as seconds with three fraction digits: `1700000000.123`.
pub(crate) fn write_seconds(out: &mut Vec<u8>, ms: u64) {
    write_integer(out, ms / 1000);
    let fraction = ms % 1000;
    out.extend_from_slice(&[
        b'.',
        decimal_digit(fraction / 100),
        decimal_digit(fraction / 10),
        decimal_digit(fraction),
    ]);
}

fn decimal_digit(value: u64) -> u8 {
    b"0123456789"[(value % 10) as usize]
}

/// Appends `bytes` as a JSON string of base64. None of its characters needs an escape.
pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    base64_simd::STANDARD.encode_append(bytes, out);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    proptest! {
        #[test]
        fn any_string_reads_back_as_it_was(text in any::<String>()) {
            let json = written(|out| write_string(out, &text));
            prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
        }

        #[test]
        fn control_characters_and_quotes_read_back_as_they_were(text in "[\\x00-\\x22\\\\\\x7fa\u{2028}\u{1f4a3}]{0,40}") {
            let json = written(|out| write_string(out, &text));
            prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
        }

        #[test]
        fn integers_are_written_as_display_does(value in any::<u64>()) {
            prop_assert_eq!(written(|out| write_integer(out, value)), value.to_string().into_bytes());
        }

        #[test]
        fn seconds_have_the_milliseconds_as_three_fraction_digits(ms in any::<u64>()) {
            let expected = format!("{}.{:03}", ms / 1000, ms % 1000);
            prop_assert_eq!(written(|out| write_seconds(out, ms)), expected.into_bytes());
        }
    }
}
