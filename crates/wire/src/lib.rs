//! The wire protocol of Amazon Kinesis: bytes to typed requests, typed replies and errors to bytes. Pure: no clock, no
//! randomness, no I/O.
//!
//! A request passes through here in this order:
//! 1. [`Call::parse`] reads method, content type and target, and says which [`Operation`] in which [`Protocol`] is meant;
//! 2. [`Request::decode`] (or [`decode`] for one known operation) turns the body into a typed request that borrows from
//!    it, and checks the constraints of the service model. What an id *means* is for the layers above;
//! 3. a [`Reply`], or one of the two writers for the hot replies ([`GetRecordsWriter`], [`PutRecordsWriter`]), makes the
//!    body of the answer. [`AwsError`] makes it when something is wrong; all names and wordings of errors live in
//!    [`error`].
//!
//! Shapes know nothing of JSON: times are integers in milliseconds and blobs say how they are encoded ([`Blob`]), so that
//! a second protocol is one more [`Protocol`] and no new shapes.

pub mod error;
pub mod ops;
pub mod shape;
pub mod sigv4;
pub mod validate;

mod blob;
mod decode;
mod json;
mod member;
mod operation;
mod protocol;
mod reply;
mod request;
mod required;
mod stream_ref;
mod target;
mod timestamp;

pub use blob::{Blob, InvalidBase64};
pub use decode::{Input, decode};
pub use error::AwsError;
pub use operation::Operation;
pub use protocol::Protocol;
pub use reply::{GetRecordsEnd, GetRecordsWriter, PutRecordsWriter, RecordView, Reply};
pub use request::Request;
pub use required::Required;
pub use stream_ref::StreamRef;
pub use target::{Call, TARGET_PREFIX};
pub use timestamp::Timestamp;
