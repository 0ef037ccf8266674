/// The parts of an `Authorization` header.
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    /// `date/region/service/terminator`, as one text and in parts.
    pub(super) scope: &'a str,
    pub(super) scope_parts: [&'a str; 4],
    pub(super) signed_headers: &'a str,
    pub(super) signature: [u8; 32],
}

impl<'a> Authorization<'a> {
    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, each part once, in any order.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let parts = text.trim().strip_prefix("AWS4-HMAC-SHA256")?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in parts.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let (access_key_id, scope) = credential?.split_once('/')?;
        let mut split = scope.split('/');
        let scope_parts = [split.next()?, split.next()?, split.next()?, split.next()?];
        if split.next().is_some() {
            return None;
        }
        Some(Self {
            access_key_id,
            scope,
            scope_parts,
            signed_headers: signed_headers?,
            signature: from_hex(signature?)?,
        })
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(bytes)
}

/// Lower case only: a signature has one spelling.
fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}
