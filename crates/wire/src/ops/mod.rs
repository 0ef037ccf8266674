//! One file per operation: its request with its constraints, and its reply. Members have the names of the service model in
//! Rust's spelling; a request's optional members are `None` when absent or null.

mod create_stream;
mod decrease_stream_retention_period;
mod delete_stream;
mod describe_limits;
mod describe_stream;
mod describe_stream_summary;
mod get_records;
mod get_shard_iterator;
mod increase_stream_retention_period;
mod list_shards;
mod list_streams;
mod put_record;
mod put_records;

pub use create_stream::{CreateStream, RequestedStreamMode};
pub use decrease_stream_retention_period::DecreaseStreamRetentionPeriod;
pub use delete_stream::DeleteStream;
pub use describe_limits::{DescribeLimits, DescribeLimitsReply};
pub use describe_stream::{DescribeStream, DescribeStreamReply, StreamDescription};
pub use describe_stream_summary::{
    DescribeStreamSummary, DescribeStreamSummaryReply, StreamDescriptionSummary, WarmThroughput,
};
pub use get_records::GetRecords;
pub use get_shard_iterator::{GetShardIterator, GetShardIteratorReply};
pub use increase_stream_retention_period::IncreaseStreamRetentionPeriod;
pub use list_shards::{ListShards, ListShardsReply, ShardFilter};
pub use list_streams::{ListStreams, ListStreamsReply, StreamSummary};
pub use put_record::{PutRecord, PutRecordReply};
pub use put_records::{PutRecords, PutRecordsEntry};
