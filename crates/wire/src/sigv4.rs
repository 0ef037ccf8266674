//! AWS Signature Version 4 in the `Authorization` header, verified: see
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
//!
//! The body's hash is always computed, never taken from a header, so that no byte of a signed request can be changed on its way.

mod canonical;
mod date;
mod header;

use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha2::{Digest, Sha256};

use crate::AwsError;
use header::Authorization;

/// How far a request's clock may be off, in seconds. Source: AWS' signing guide.
const CLOCK_SECONDS_MAX: u64 = 5 * 60;
const SERVICE: &str = "kinesis";
const TERMINATOR: &str = "aws4_request";

/// What a request is verified against.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The only access key there is.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret_access_key: &'a str,
    /// The region that requests must be signed for.
    pub region: &'a str,
    /// The time in seconds since the Unix epoch.
    pub now_seconds: u64,
}

/// Verifies a request.
///
/// # Errors
/// `MissingAuthenticationTokenException`, `IncompleteSignatureException`, `UnrecognizedClientException` or
/// `InvalidSignatureException`, as AWS gives them.
pub fn verify(head: &Parts, body: &[u8], expected: Expected<'_>) -> Result<(), AwsError> {
    let header = head.headers.get(http::header::AUTHORIZATION).ok_or_else(AwsError::missing_authentication_token)?;
    let text = header.to_str().map_err(|_| incomplete("the header is not text"))?;
    let authorization = Authorization::parse(text).ok_or_else(|| incomplete(text))?;
    let signed_at = head.headers.get("x-amz-date").and_then(|date| date.to_str().ok());
    let signed_at = signed_at.ok_or_else(|| incomplete("the header 'X-Amz-Date' is required"))?;
    check_time(signed_at, expected.now_seconds)?;
    check_scope(&authorization, signed_at, expected)?;
    if authorization.access_key_id != expected.access_key_id {
        return Err(AwsError::unrecognized_client());
    }
    let canonical = canonical::request(head, &authorization, body).map_err(AwsError::invalid_signature)?;
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{signed_at}\n{}\n{}",
        authorization.scope,
        canonical::hex(&Sha256::digest(canonical))
    );
    let matches = signing(&authorization, expected, &to_sign).verify_slice(&authorization.signature).is_ok();
    matches.then_some(()).ok_or_else(mismatch)
}

fn incomplete(what: &str) -> AwsError {
    AwsError::incomplete_signature(format!(
        "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature': {what}"
    ))
}

/// AWS' wording.
fn mismatch() -> AwsError {
    let why = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
               and signing method. Consult the service documentation for details.";
    AwsError::invalid_signature(why.into())
}

fn check_time(signed_at: &str, now_seconds: u64) -> Result<(), AwsError> {
    let seconds = date::seconds(signed_at).ok_or_else(|| {
        AwsError::invalid_signature(format!("Date in Credential scope or header is unusable: {signed_at}"))
    })?;
    if seconds.abs_diff(now_seconds) <= CLOCK_SECONDS_MAX {
        return Ok(());
    }
    let (word, order) = if seconds < now_seconds { ("expired", "earlier") } else { ("not yet current", "later") };
    Err(AwsError::invalid_signature(format!(
        "Signature {word}: {signed_at} is now {order} than the server's time by more than 5 min."
    )))
}

fn check_scope(authorization: &Authorization<'_>, signed_at: &str, expected: Expected<'_>) -> Result<(), AwsError> {
    let [date, region, service, terminator] = authorization.scope_parts;
    let why = if !signed_at.starts_with(date) || date.len() != 8 {
        format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != '{signed_at}'."
        )
    } else if region != expected.region {
        format!("Credential should be scoped to a valid region, not '{region}'. ")
    } else if service != SERVICE {
        format!("Credential should be scoped to correct service: '{SERVICE}'. ")
    } else if terminator != TERMINATOR {
        format!("Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'. ")
    } else {
        return Ok(());
    };
    Err(AwsError::invalid_signature(why))
}

/// The signature to be, ready to be compared in constant time.
fn signing(authorization: &Authorization<'_>, expected: Expected<'_>, to_sign: &str) -> Hmac<Sha256> {
    let mut key = format!("AWS4{}", expected.secret_access_key).into_bytes();
    for part in authorization.scope_parts {
        key = keyed(&key, part).finalize().into_bytes().to_vec();
    }
    keyed(&key, to_sign)
}

fn keyed(key: &[u8], text: &str) -> Hmac<Sha256> {
    // HMAC takes keys of any length, so that this never fails.
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests;
