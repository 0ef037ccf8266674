//! The two ids that AWS sends with every reply.

use env::Random;
use http::{HeaderMap, HeaderName, HeaderValue};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ID_2: HeaderName = HeaderName::from_static("x-amz-id-2");

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Sets `x-amzn-RequestId`, a random UUID, and `x-amz-id-2`, 76 characters that mean nothing to a client.
pub(crate) fn set(random: &dyn Random, headers: &mut HeaderMap) {
    let mut bytes = [0; 16 + 76];
    random.fill(&mut bytes);
    let (uuid_bytes, id_2_bytes) = bytes.split_at(16);
    if let Ok(value) = HeaderValue::from_bytes(&uuid(uuid_bytes)) {
        headers.insert(REQUEST_ID, value);
    }
    let mut id_2 = [0; 76];
    for (character, byte) in id_2.iter_mut().zip(id_2_bytes) {
        *character = BASE64[usize::from(byte & 63)];
    }
    if let Ok(value) = HeaderValue::from_bytes(&id_2) {
        headers.insert(ID_2, value);
    }
}

/// The text of a version 4 UUID.
fn uuid(random: &[u8]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in random.iter().enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_dashes_version_and_variant() {
        assert_eq!(uuid(&[0xff; 16]), *b"ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid(&[0; 16]), *b"00000000-0000-4000-8000-000000000000");
    }
}
