//! The text that a signature is made over.

use std::fmt::Write;

use http::request::Parts;
use sha2::{Digest, Sha256};

use super::header::Authorization;

/// The canonical request. Every header that the client signed must be there, and `host` and all `x-amz-*` headers that are there
/// must be signed.
pub(super) fn request(head: &Parts, authorization: &Authorization<'_>, body: &[u8]) -> Result<String, String> {
    let signed: Vec<&str> = authorization.signed_headers.split(';').collect();
    check_signed(head, &signed)?;
    let mut text = format!("{}\n{}\n{}\n", head.method, head.uri.path(), query(head.uri.query().unwrap_or_default()));
    for name in &signed {
        let value = value(head, name).ok_or_else(|| format!("The signed header '{name}' is missing."))?;
        // Writing to a string never fails.
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "\n{}\n{}", authorization.signed_headers, hex(&Sha256::digest(body)));
    Ok(text)
}

fn check_signed(head: &Parts, signed: &[&str]) -> Result<(), String> {
    let ordered = signed.windows(2).all(|pair| pair[0] < pair[1]);
    let lower = signed.iter().all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase()));
    if !ordered || !lower {
        return Err("SignedHeaders must be in lower case, sorted, and each once.".into());
    }
    let amazon = head.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    match std::iter::once("host").chain(amazon).find(|name| !signed.contains(name)) {
        Some(name) => Err(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")),
        None => Ok(()),
    }
}

/// The header's values, each trimmed and with single spaces, joined by commas.
fn value(head: &Parts, name: &str) -> Option<String> {
    let mut values = head.headers.get_all(name).iter().map(|value| value.to_str().ok());
    match values.next() {
        // HTTP/2 carries the host in the request line.
        None if name == "host" => head.uri.authority().map(ToString::to_string),
        None => None,
        Some(first) => {
            let rest = values.collect::<Option<Vec<_>>>()?;
            let all = std::iter::once(first?).chain(rest);
            Some(
                all.map(|value| value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
                    .collect::<Vec<_>>()
                    .join(","),
            )
        }
    }
}

/// Parameters sorted, each with its `=`. Clients send them encoded, and the requests of this service have none.
fn query(text: &str) -> String {
    let mut parameters: Vec<_> = text.split('&').filter(|parameter| !parameter.is_empty()).collect();
    parameters.sort_unstable();
    let with_sign =
        |parameter: &str| if parameter.contains('=') { parameter.to_string() } else { format!("{parameter}=") };
    parameters.into_iter().map(with_sign).collect::<Vec<_>>().join("&")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
