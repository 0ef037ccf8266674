//! From a request's words to shards and back: joins the control plane, which knows the streams, with the data plane, which has
//! their records.
//!
//! A put's way: [`Router::put_records`] finds the stream's [`route`] (open shards by hash key), [`split`] writes each record
//! into the batch of its shard, the data plane appends all batches at once, and the outcomes come back in the order of the
//! request. A get's way: [`Router::shard_iterator`] seals a position into a [`token`], [`Router::get_records`] opens it, reads
//! from there, and seals the next one. Both go through [`shards`], which takes a request to the node that leads the shard, this one or
//! another, and corrects stale ideas of who does ([`leaders`]).
//!
//! What decides is pure and in files of its own: [`route`], [`split`], [`ordering`], [`start`], [`token`], [`filter`], [`page`].
//! One file per operation does the rest.

mod create_stream;
mod delete_stream;
mod describe_stream;
mod error;
mod filter;
mod get_records;
mod get_shard_iterator;
mod host;
mod leaders;
mod list_shards;
mod list_streams;
mod lookup;
mod options;
mod ordering;
mod page;
mod page_token;
mod put;
mod retention;
mod route;
mod router;
mod seal;
mod shard_calls;
mod shard_service;
mod shards;
mod split;
mod start;
mod stream_view;
mod token;

pub use catalog_state::{AccountLimits, RetentionChange, Shard, StreamMode, StreamStatus};
pub use create_stream::Capacity;
pub use data_plane::ReadRecord;
pub use describe_stream::StreamDescription;
pub use error::{InUse, InvalidArgument, LimitExceeded, NotFound, RouterError};
pub use filter::ShardFilter;
pub use get_records::{ChildShard, GetRecords};
pub use host::DataPlaneHost;
pub use list_shards::{ListShards, ShardPage};
pub use list_streams::StreamPage;
pub use lookup::StreamRef;
pub use options::Options;
pub use put::{Put, PutOutcome, Refusal};
pub use router::Router;
pub use split::{InvalidData, PutEntry};
pub use start::IteratorType;
pub use stream_view::StreamView;
