//! From the bytes of a body to a validated request.

use serde_json::error::Category;

use crate::member::Structure;
use crate::validate::ValidationErrors;
use crate::{AwsError, Operation, Protocol};

/// The request of one operation.
#[allow(private_bounds, reason = "how a request is read is this crate's business; others only name the trait")]
pub trait Input<'a>: Structure<'a> {
    /// The operation that this is the request of.
    const OPERATION: Operation;

    /// Reports each violated constraint of the service model, in the order of the model.
    fn validate(&self, errors: &mut ValidationErrors);
}

/// Decodes and validates the request of a known operation. It borrows from the body; strings are copied only where they
/// contain escapes.
///
/// # Errors
/// `SerializationException` for what is not JSON or has a value of a wrong type, `ValidationException` for violated
/// constraints. Whether blobs are base64 throughout shows when they are decoded ([`crate::Blob::decode_into`]).
pub fn decode<'a, T: Input<'a>>(protocol: Protocol, body: &'a [u8]) -> Result<T, AwsError> {
    let request: T = match protocol {
        Protocol::Json => decode_json(body)?,
    };
    let mut errors = ValidationErrors::default();
    request.validate(&mut errors);
    errors.into_result()?;
    Ok(request)
}

fn decode_json<'a, T: Structure<'a>>(body: &'a [u8]) -> Result<T, AwsError> {
    // A body that is no object and no list gets no message, unlike the same mistake further in.
    if !matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Err(AwsError::not_parseable());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let request = <T as crate::member::Member>::read(&mut deserializer).map_err(|error| json_error(&error))?;
    deserializer.end().map_err(|error| json_error(&error))?;
    Ok(request)
}

fn json_error(error: &serde_json::Error) -> AwsError {
    if error.classify() != Category::Data {
        return AwsError::not_parseable();
    }
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    AwsError::serialization(message.strip_suffix(&position).unwrap_or(&message).to_owned())
}
