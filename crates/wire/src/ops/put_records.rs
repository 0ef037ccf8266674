//! PutRecords

use std::borrow::Cow;

use serde::Deserialize;

use crate::decode::Input;
use crate::member::{self, Structure};
use crate::validate::{Offender, Path, ValidationErrors, shapes};
use crate::{Blob, Operation, Required, StreamRef};

/// Puts up to 500 records, each of which succeeds or fails on its own. The reply is written by
/// [`crate::PutRecordsWriter`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PutRecords<'a> {
    /// The stream, by name.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_name: Option<Cow<'a, str>>,
    /// The stream, by ARN.
    #[serde(borrow, rename = "StreamARN", deserialize_with = "member::optional")]
    pub stream_arn: Option<Cow<'a, str>>,
    /// The stream, by id.
    #[serde(borrow, deserialize_with = "member::optional")]
    pub stream_id: Option<Cow<'a, str>>,
    /// The records, 1 to 500, in one vector; each borrows from the body.
    #[serde(borrow, deserialize_with = "member::required")]
    pub records: Required<Vec<PutRecordsEntry<'a>>>,
}

impl<'a> Structure<'a> for PutRecords<'a> {}

impl PutRecords<'_> {
    /// How the request names its stream.
    #[must_use]
    pub fn stream(&self) -> StreamRef<'_> {
        StreamRef { name: self.stream_name.as_deref(), arn: self.stream_arn.as_deref(), id: self.stream_id.as_deref() }
    }

    fn validate_count(&self, errors: &mut ValidationErrors) {
        let path = Path::Field("records");
        let count = self.records.present().map(Vec::len);
        errors.not_null(path, count.as_ref());
        if count == Some(0) {
            errors.length_at_least(Offender::Text("[]"), path, 1);
        }
        if count.is_some_and(|count| count > shapes::RECORDS_MAX) {
            errors.length_at_most(Offender::Hidden, path, shapes::RECORDS_MAX);
        }
    }
}

impl<'a> Input<'a> for PutRecords<'a> {
    const OPERATION: Operation = Operation::PutRecords;

    fn validate(&self, errors: &mut ValidationErrors) {
        self.validate_count(errors);
        for (index, entry) in self.records.iter().enumerate() {
            if errors.is_full() {
                break;
            }
            entry.validate(index, errors);
        }
        self.stream().validate(errors);
    }
}

/// One record of PutRecords.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PutRecordsEntry<'a> {
    /// The record's bytes.
    #[serde(borrow, deserialize_with = "member::required")]
    pub data: Required<Blob<'a>>,
    /// Decides on the shard, unless there is an explicit hash key.
    #[serde(borrow, deserialize_with = "member::required")]
    pub partition_key: Required<Cow<'a, str>>,
    /// Decides on the shard: decimal, below 2^128 (the model allows 39 digits).
    #[serde(borrow, deserialize_with = "member::optional")]
    pub explicit_hash_key: Option<Cow<'a, str>>,
}

impl<'a> Structure<'a> for PutRecordsEntry<'a> {
    const LIST_LENGTH_MAX: usize = shapes::RECORDS_MAX;
}

impl PutRecordsEntry<'_> {
    /// What the record counts against limits: bytes of its data and of its partition key.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.data.decoded_len() + self.partition_key.len()
    }

    fn validate(&self, index: usize, errors: &mut ValidationErrors) {
        let path = |field| Path::Element("records", index, field);
        errors.required_text(path("partitionKey"), &shapes::PARTITION_KEY, &self.partition_key);
        errors.text(path("explicitHashKey"), &shapes::HASH_KEY, self.explicit_hash_key.as_deref());
        let data_len = self.data.present().map(Blob::decoded_len);
        errors.not_null(path("data"), data_len.as_ref());
        if data_len.is_some_and(|length| length > shapes::DATA_LENGTH_MAX) {
            errors.length_at_most(Offender::Hidden, path("data"), shapes::DATA_LENGTH_MAX);
        }
    }
}
