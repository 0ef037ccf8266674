//! The bodies of errors.

use super::{AwsError, Form, code};
use crate::{Protocol, json};

impl AwsError {
    /// The content type of the body; `None` where AWS sends none.
    #[must_use]
    pub const fn content_type(&self, protocol: Protocol) -> Option<&'static str> {
        match self.form {
            Form::Protocol => Some(protocol.content_type()),
            Form::Xml | Form::Empty => None,
        }
    }

    /// Appends the body, in the protocol of the request where the kind of error leaves that choice.
    pub fn write_body(&self, protocol: Protocol, out: &mut Vec<u8>) {
        match (self.form, protocol) {
            (Form::Protocol, Protocol::Json) => self.write_json(out),
            (Form::Xml, _) => self.write_xml(out),
            (Form::Empty, _) => {}
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"__type\":");
        json::write_string(out, self.code);
        if let Some(message) = self.message() {
            // The parser of AWS' services names this member differently from the services behind it.
            let key: &[u8] = if self.code == code::SERIALIZATION { b",\"Message\":" } else { b",\"message\":" };
            out.extend_from_slice(key);
            json::write_string(out, message);
        }
        out.push(b'}');
    }

    fn write_xml(&self, out: &mut Vec<u8>) {
        let xml = match self.message() {
            // Messages in this form are constants without characters that XML would want escaped.
            Some(message) => format!("<{0}>\n  <Message>{message}</Message>\n</{0}>\n", self.code),
            None => format!("<{}/>\n", self.code),
        };
        out.extend_from_slice(xml.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(error: &AwsError) -> String {
        let mut out = Vec::new();
        error.write_body(Protocol::Json, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_unknown_stream_reads_as_recorded() {
        let error = AwsError::stream_not_found("wrong-stream-name", "111111111111");
        assert_eq!(
            body(&error),
            r#"{"__type":"ResourceNotFoundException","message":"Stream wrong-stream-name under account 111111111111 not found."}"#
        );
        assert_eq!(error.status(), 400);
        assert_eq!(error.content_type(Protocol::Json), Some("application/x-amz-json-1.1"));
    }

    #[test]
    fn serialization_errors_have_a_capital_message_or_none() {
        assert_eq!(
            body(&AwsError::serialization("Expected null")),
            r#"{"__type":"SerializationException","Message":"Expected null"}"#
        );
        assert_eq!(body(&AwsError::not_parseable()), r#"{"__type":"SerializationException"}"#);
    }

    #[test]
    fn a_failure_of_the_service_says_no_more_than_its_name() {
        let error = AwsError::internal_failure();
        assert_eq!((error.status().as_u16(), body(&error).as_str()), (500, r#"{"__type":"InternalFailure"}"#));
    }

    #[test]
    fn a_body_over_the_limit_gets_a_bare_413() {
        let error = AwsError::body_too_large();
        assert_eq!((error.status().as_u16(), body(&error).as_str()), (413, ""));
        assert_eq!(error.content_type(Protocol::Json), None);
    }
}
