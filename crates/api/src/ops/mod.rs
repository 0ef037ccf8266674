//! One file per operation.

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
mod put_entry;
mod put_record;
mod put_records;

pub(crate) use create_stream::create_stream;
pub(crate) use decrease_stream_retention_period::decrease_stream_retention_period;
pub(crate) use delete_stream::delete_stream;
pub(crate) use describe_limits::describe_limits;
pub(crate) use describe_stream::describe_stream;
pub(crate) use describe_stream_summary::describe_stream_summary;
pub(crate) use get_records::get_records;
pub(crate) use get_shard_iterator::get_shard_iterator;
pub(crate) use increase_stream_retention_period::increase_stream_retention_period;
pub(crate) use list_shards::list_shards;
pub(crate) use list_streams::list_streams;
pub(crate) use put_record::put_record;
pub(crate) use put_records::put_records;
