//! PutRecord

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::validate::{Offender, Path, ValidationErrors, shapes};
use crate::{Blob, Operation, Required, StreamRef};

/// Puts one record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PutRecord<'a> {
    /// The stream, by name.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_name: Option<Cow<'a, str>>,
    /// The stream, by ARN.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
    /// The record's bytes.
    #[serde(borrow, deserialize_with = "member::required")]
    pub data: Required<Blob<'a>>,
    /// Decides on the shard, unless there is an explicit hash key.
    #[serde(borrow, deserialize_with = "member::required")]
    pub partition_key: Required<Cow<'a, str>>,
    /// Decides on the shard: decimal, below 2^128 (the model allows 39 digits).
    #[serde(borrow, deserialize_with = "member::optional")]
    pub explicit_hash_key: Option<Cow<'a, str>>,
    /// The new record's sequence number is to be greater than this one.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub sequence_number_for_ordering: Option<Cow<'a, str>>,
}

impl<'a> Structure<'a> for PutRecord<'a> {}

impl PutRecord<'_> {
    /// How the request names its stream.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: self.stream_name.as_deref(), arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }

    /// What the record counts against limits: bytes of its data and of its partition key.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.data.decoded_len() + self.partition_key.len()
    }
}

impl<'a> Input<'a> for PutRecord<'a> {
    const OPERATION: Operation = Operation::PutRecord;

    fn validate(&self, errors: &mut ValidationErrors) {
        self.stream().validate(errors);
        let data_len = self.data.present().map(Blob::decoded_len);
        errors.not_null(Path::Field("data"), data_len.as_ref());
        if data_len.is_some_and(|length| length > shapes::DATA_LENGTH_MAX) {
            errors.length_at_most(Offender::Hidden, Path::Field("data"), shapes::DATA_LENGTH_MAX);
        }
        errors.required_text(Path::Field("partitionKey"), &shapes::PARTITION_KEY, &self.partition_key);
        errors.text(Path::Field("explicitHashKey"), &shapes::HASH_KEY, self.explicit_hash_key.as_deref());
        let ordering = self.sequence_number_for_ordering.as_deref();
        errors.text(Path::Field("sequenceNumberForOrdering"), &shapes::SEQUENCE_NUMBER, ordering);
    }
}

/// The reply of PutRecord. `EncryptionType` is only sent for encrypted streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRecordReply<'a> {
    /// The shard that has the record.
    pub shard_id: Cow<'a, str>,
    /// The record's sequence number.
    pub sequence_number: Cow<'a, str>,
}
