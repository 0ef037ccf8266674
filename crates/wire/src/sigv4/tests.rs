use http::Request;

use super::*;

/// Made with botocore 1.43.11.
const SIGNATURE: &str = "39d1f3b132c7fef07d5bcf67f386ea1a67e4547a62ceb7c916134f54fb17e483";
const SIGNED: &str = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
const BODY: &[u8] = b"{\"Limit\": 3}";
const NOON: u64 = 1_795_435_200;

fn expected() -> Expected<'static> {
    Expected {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
        now_seconds: NOON,
    }
}

fn authorization(credential: &str, signed: &str, signature: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}")
}

fn head_with(authorization: &str, changed: Option<(&str, &str)>) -> Parts {
    let mut headers = vec![
        ("x-amz-target", "Kinesis_20131202.ListStreams"),
        ("content-type", "application/x-amz-json-1.1"),
        ("host", "127.0.0.1:4567"),
        ("x-amz-date", "20261123T120000Z"),
        ("x-amz-security-token", "TOKEN"),
        ("authorization", authorization),
    ];
    if let Some((name, value)) = changed {
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
    }
    let mut request = Request::post("/");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(()).unwrap().into_parts().0
}

const CREDENTIAL: &str = "AKIDEXAMPLE/20261123/us-east-1/kinesis/aws4_request";

fn code(head: &Parts, body: &[u8], expected: Expected<'_>) -> &'static str {
    verify(head, body, expected).unwrap_err().code()
}

#[test]
fn what_botocore_signs_is_right() {
    let head = head_with(&authorization(CREDENTIAL, SIGNED, SIGNATURE), None);
    verify(&head, BODY, expected()).unwrap();
    let late = Expected { now_seconds: NOON + 300, ..expected() };
    verify(&head, BODY, late).unwrap();
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let right = authorization(CREDENTIAL, SIGNED, SIGNATURE);
    for at in 0..BODY.len() {
        let mut body = BODY.to_vec();
        body[at] ^= 1;
        assert_eq!(code(&head_with(&right, None), &body, expected()), "InvalidSignatureException");
    }
    for (name, value) in [
        ("x-amz-target", "Kinesis_20131202.DeleteStream"),
        ("content-type", "application/x-amz-json-1.0"),
        ("host", "127.0.0.1:4568"),
        ("x-amz-security-token", "TOKEM"),
        ("x-amz-date", "20261123T120001Z"),
        ("x-amz-more", "unsigned"),
    ] {
        assert_eq!(
            code(&head_with(&right, Some((name, value))), BODY, expected()),
            "InvalidSignatureException",
            "{name}"
        );
    }
    for at in 0..SIGNATURE.len() {
        let mut wrong = SIGNATURE.as_bytes().to_vec();
        wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
        let wrong = authorization(CREDENTIAL, SIGNED, std::str::from_utf8(&wrong).unwrap());
        assert_eq!(code(&head_with(&wrong, None), BODY, expected()), "InvalidSignatureException");
    }
}

#[test]
fn clocks_more_than_five_minutes_off_are_refused() {
    let head = head_with(&authorization(CREDENTIAL, SIGNED, SIGNATURE), None);
    for now_seconds in [NOON + 301, NOON - 301, 0] {
        assert_eq!(code(&head, BODY, Expected { now_seconds, ..expected() }), "InvalidSignatureException");
    }
}

#[test]
fn scopes_keys_and_forms_that_are_not_ours_are_refused() {
    let with = |credential| head_with(&authorization(credential, SIGNED, SIGNATURE), None);
    for (credential, refused) in [
        ("AKIDEXAMPLE/20261123/eu-west-1/kinesis/aws4_request", "InvalidSignatureException"),
        ("AKIDEXAMPLE/20261122/us-east-1/kinesis/aws4_request", "InvalidSignatureException"),
        ("AKIDEXAMPLE/20261123/us-east-1/dynamodb/aws4_request", "InvalidSignatureException"),
        ("AKIDEXAMPLE/20261123/us-east-1/kinesis/aws5_request", "InvalidSignatureException"),
        ("OTHER/20261123/us-east-1/kinesis/aws4_request", "UnrecognizedClientException"),
        ("AKIDEXAMPLE/20261123/us-east-1/kinesis", "IncompleteSignatureException"),
    ] {
        assert_eq!(code(&with(credential), BODY, expected()), refused, "{credential}");
    }
    for text in ["", "Basic abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a, Signature=b"] {
        assert_eq!(code(&head_with(text, None), BODY, expected()), "IncompleteSignatureException", "{text}");
    }
    let mut head = head_with("", None);
    head.headers.remove("authorization");
    assert_eq!(code(&head, BODY, expected()), "MissingAuthenticationTokenException");
    let unsigned_host = "content-type;x-amz-date;x-amz-security-token;x-amz-target";
    let head = head_with(&authorization(CREDENTIAL, unsigned_host, SIGNATURE), None);
    assert_eq!(code(&head, BODY, expected()), "InvalidSignatureException");
}
