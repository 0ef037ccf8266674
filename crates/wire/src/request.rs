//! Any request.

use crate::decode::decode;
use crate::ops::{
    CreateStream, DecreaseStreamRetentionPeriod, DeleteStream, DescribeLimits, DescribeStream, DescribeStreamSummary,
    GetRecords, GetShardIterator, IncreaseStreamRetentionPeriod, ListShards, ListStreams, PutRecord, PutRecords,
};
use crate::{AwsError, Call, Operation};

macro_rules! requests {
    ($($operation:ident($request:ty),)*) => {
        /// The request of any operation that is served, borrowing from the body.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is the operation of its name")]
        pub enum Request<'a> { $($operation($request),)* }

        impl<'a> Request<'a> {
            /// The operations that can be decoded.
            pub const SERVED: &'static [Operation] = &[$(Operation::$operation,)*];

            /// Decodes and validates the body of a call.
            ///
            /// # Errors
            /// `UnknownOperationException` for an operation that is not served, else as [`decode`].
            pub fn decode(call: Call, body: &'a [u8]) -> Result<Self, AwsError> {
                match call.operation {
                    $(Operation::$operation => decode(call.protocol, body).map(Self::$operation),)*
                    other => Err(AwsError::operation_not_served(other)),
                }
            }

            /// The operation that this is the request of.
            #[must_use]
            pub const fn operation(&self) -> Operation {
                match self { $(Self::$operation(_) => Operation::$operation,)* }
            }
        }
    };
}

requests! {
    CreateStream(CreateStream<'a>),
    DecreaseStreamRetentionPeriod(DecreaseStreamRetentionPeriod<'a>),
    DeleteStream(DeleteStream<'a>),
    DescribeLimits(DescribeLimits),
    DescribeStream(DescribeStream<'a>),
    DescribeStreamSummary(DescribeStreamSummary<'a>),
    GetRecords(GetRecords<'a>),
    GetShardIterator(GetShardIterator<'a>),
    IncreaseStreamRetentionPeriod(IncreaseStreamRetentionPeriod<'a>),
    ListShards(ListShards<'a>),
    ListStreams(ListStreams<'a>),
    PutRecord(PutRecord<'a>),
    PutRecords(PutRecords<'a>),
}
