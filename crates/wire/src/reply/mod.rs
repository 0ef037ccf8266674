//! Replies. The two hot ones, of GetRecords and PutRecords, are written record by record into one buffer; all others go
//! through serde.

mod get_records;
mod put_records;

pub use get_records::{GetRecordsEnd, GetRecordsWriter, RecordView};
pub use put_records::PutRecordsWriter;

use serde::Serialize;

use crate::Protocol;
use crate::ops::{
    DescribeLimitsReply, DescribeStreamReply, DescribeStreamSummaryReply, GetShardIteratorReply, ListShardsReply,
    ListStreamsReply, PutRecordReply,
};

/// A reply with a body. Operations that only acknowledge answer 200 with an empty body.
pub trait Reply: Serialize {
    /// Appends the body.
    fn write_body(&self, protocol: Protocol, out: &mut Vec<u8>) {
        match protocol {
            Protocol::Json => {
                let written = serde_json::to_writer(out, self);
                // A vector takes every byte and no reply has a map with keys other than strings.
                debug_assert!(written.is_ok(), "{written:?}");
            }
        }
    }
}

impl Reply for DescribeLimitsReply {}
impl Reply for DescribeStreamReply<'_> {}
impl Reply for DescribeStreamSummaryReply<'_> {}
impl Reply for GetShardIteratorReply<'_> {}
impl Reply for ListShardsReply<'_> {}
impl Reply for ListStreamsReply<'_> {}
impl Reply for PutRecordReply<'_> {}
