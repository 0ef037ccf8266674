//! The names of errors. Except where noted, each is an exception of the service model.

/// The caller may not do this.
pub const ACCESS_DENIED: &str = "AccessDeniedException";
/// A shard iterator lived its five minutes.
pub const EXPIRED_ITERATOR: &str = "ExpiredIteratorException";
/// A pagination token lived its five minutes.
pub const EXPIRED_NEXT_TOKEN: &str = "ExpiredNextTokenException";
/// A failure of the service, status 500; what AWS sends, where the model says `InternalFailureException`.
pub const INTERNAL_FAILURE: &str = "InternalFailure";
/// An argument that passes the model's constraints and still cannot be used.
pub const INVALID_ARGUMENT: &str = "InvalidArgumentException";
/// A quota or the rate of a control operation is exceeded.
pub const LIMIT_EXCEEDED: &str = "LimitExceededException";
/// Throughput of a shard is exceeded.
pub const PROVISIONED_THROUGHPUT_EXCEEDED: &str = "ProvisionedThroughputExceededException";
/// The stream is not in a state for this operation, or exists already.
pub const RESOURCE_IN_USE: &str = "ResourceInUseException";
/// No such stream, shard or consumer.
pub const RESOURCE_NOT_FOUND: &str = "ResourceNotFoundException";
/// A constraint of the model is violated.
pub const VALIDATION: &str = "ValidationException";

/// Not in the model, common to AWS services: the body cannot be parsed.
pub const SERIALIZATION: &str = "SerializationException";
/// Not in the model, common to AWS services: no such operation.
pub const UNKNOWN_OPERATION: &str = "UnknownOperationException";
/// Not in the model, common to AWS services, status 503.
pub const SERVICE_UNAVAILABLE: &str = "ServiceUnavailable";
/// Not in the model, common to AWS services: the request is not signed.
pub const MISSING_AUTHENTICATION_TOKEN: &str = "MissingAuthenticationTokenException";
/// Not in the model, common to AWS services: parts of the signature are missing.
pub const INCOMPLETE_SIGNATURE: &str = "IncompleteSignatureException";
/// Not in the model, common to AWS services: the signature is wrong.
pub const INVALID_SIGNATURE: &str = "InvalidSignatureException";
/// Not in the model, common to AWS services: the access key does not exist.
pub const UNRECOGNIZED_CLIENT: &str = "UnrecognizedClientException";
/// Not sent by AWS, which answers a body over its limit with a bare 413.
pub const REQUEST_ENTITY_TOO_LARGE: &str = "RequestEntityTooLarge";
