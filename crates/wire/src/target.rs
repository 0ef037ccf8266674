//! Which operation a request asks for, from its method and headers.
//!
//! The order of the checks and the forms of the refusals are those of the real service, as kinesalite found them: without
//! a usable content type the answer is XML, 403 where no operation can be told and 404 otherwise. One thing differs on
//! purpose: AWS answers `application/json` with status 200 and the error wrapped in the body, which a careless client
//! could take for an acknowledged put; here it is refused like any other content type.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method};

use crate::{AwsError, Operation, Protocol};

/// What precedes the operation's name in the target header.
pub const TARGET_PREFIX: &str = "Kinesis_20131202.";

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const CBOR_CONTENT_TYPE: &str = "application/x-amz-cbor-1.1";

/// What a request asks for, before its body is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The operation; whether it is served shows in [`crate::Request::decode`].
    pub operation: Operation,
    /// The encoding of the request and of its reply.
    pub protocol: Protocol,
}

impl Call {
    /// Reads the method, the content type and the target. The path does not matter to AWS.
    ///
    /// # Errors
    /// `AccessDeniedException` (403, XML) for a method other than POST, or without content type and target;
    /// `UnknownOperationException` for another content type (404, XML) and for an unknown or missing target (400).
    pub fn parse(method: &Method, headers: &HeaderMap) -> Result<Self, AwsError> {
        if method != Method::POST {
            return Err(AwsError::operation_undetermined());
        }
        let target = headers.get(TARGET).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim();
        let protocol = protocol(content_type).ok_or_else(|| refuse_content_type(content_type, target))?;
        let operation = target.strip_prefix(TARGET_PREFIX).and_then(Operation::from_name);
        let operation = operation.ok_or_else(AwsError::unknown_operation)?;
        Ok(Self { operation, protocol })
    }
}

fn protocol(content_type: &str) -> Option<Protocol> {
    content_type.eq_ignore_ascii_case(Protocol::Json.content_type()).then_some(Protocol::Json)
}

fn refuse_content_type(content_type: &str, target: &str) -> AwsError {
    if content_type.eq_ignore_ascii_case(CBOR_CONTENT_TYPE) {
        return AwsError::cbor_not_served();
    }
    match target.split_once('.') {
        Some((service, operation)) if !service.is_empty() && !operation.is_empty() => AwsError::content_type_unknown(),
        _ => AwsError::operation_undetermined(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &str, content_type: Option<&str>, target: Option<&str>) -> Result<Call, (u16, String)> {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
        }
        if let Some(value) = target {
            headers.insert(TARGET, value.parse().unwrap());
        }
        Call::parse(&method.parse().unwrap(), &headers).map_err(|error| {
            let mut body = Vec::new();
            error.write_body(Protocol::Json, &mut body);
            (error.status().as_u16(), String::from_utf8(body).unwrap())
        })
    }

    const JSON: Option<&str> = Some("application/x-amz-json-1.1");
    const LIST: Option<&str> = Some("Kinesis_20131202.ListStreams");
    const UNDETERMINED: &str = "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be \
                                authorized</Message>\n</AccessDeniedException>\n";

    #[test]
    fn a_target_with_the_json_content_type_is_understood() {
        for content_type in
            ["application/x-amz-json-1.1", "Application/X-Amz-JSON-1.1", "application/x-amz-json-1.1; charset=utf-8"]
        {
            let call = parse("POST", Some(content_type), LIST).unwrap();
            assert_eq!(call, Call { operation: Operation::ListStreams, protocol: Protocol::Json });
        }
    }

    #[test]
    fn another_method_or_no_target_and_content_type_cannot_be_authorized() {
        let refusal = Err((403, UNDETERMINED.to_owned()));
        assert_eq!(parse("GET", JSON, LIST), refusal);
        assert_eq!(parse("PUT", None, None), refusal);
        assert_eq!(parse("POST", None, None), refusal);
        assert_eq!(parse("POST", Some("text/plain"), None), refusal);
        assert_eq!(parse("POST", Some("text/plain"), Some("Kinesis_20131202.")), refusal);
    }

    #[test]
    fn another_content_type_with_a_target_is_not_found() {
        let refusal = Err((404, "<UnknownOperationException/>\n".to_owned()));
        assert_eq!(parse("POST", Some("application/x-amz-json-1.0"), LIST), refusal);
        assert_eq!(parse("POST", Some("application/json"), LIST), refusal);
        assert_eq!(parse("POST", None, Some("Kinesis_20131202.Nothing")), refusal);
    }

    #[test]
    fn an_unknown_target_is_an_unknown_operation() {
        for target in [
            None,
            Some(""),
            Some("ListStreams"),
            Some("Kinesis_20131202"),
            Some("Kinesis_20131202.ListStream"),
            Some("Kinesis_20131202.ListStreams.X"),
            Some("DynamoDB_20120810.ListStreams"),
        ] {
            let refusal = Err((400, r#"{"__type":"UnknownOperationException"}"#.to_owned()));
            assert_eq!(parse("POST", JSON, target), refusal, "{target:?}");
        }
    }

    #[test]
    fn cbor_is_refused_with_a_hint() {
        let (status, body) = parse("POST", Some(CBOR_CONTENT_TYPE), LIST).unwrap_err();
        assert_eq!(status, 400);
        assert!(body.contains("AWS_CBOR_DISABLE"), "{body}");
    }
}
