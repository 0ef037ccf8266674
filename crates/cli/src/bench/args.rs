use clap::ValueEnum;

use super::payload::RECORD_BYTES_MIN;

/// The command line of `thalweg bench`.
#[derive(clap::Args, Clone)]
pub(crate) struct BenchArgs {
    /// What to measure
    #[arg(value_enum)]
    pub(crate) kind: BenchKind,
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4567")]
    pub(crate) endpoint: String,
    /// Shards of the stream, if it is to be made
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) shards: u32,
    /// Bytes of a record's data
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(RECORD_BYTES_MIN as i64..=1 << 20))]
    pub(crate) record_bytes: u32,
    /// Records of one request: of PutRecords, or at most of GetRecords
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) batch: u32,
    /// Requests in flight, each on a connection of its own
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) in_flight: u32,
    /// How long to load
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,
    /// An existing stream to use, or the name of the one to make
    #[arg(long, value_name = "NAME")]
    pub(crate) stream: Option<String>,
    /// put: stop after this many records; get: records to put before reading, if the stream is to be made
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) records: Option<u64>,
    /// put: each connection has a shard, and the longest time in which a shard acknowledged nothing is measured. For a new stream; with as many
    /// requests in flight as shards, of one record each
    #[arg(long)]
    pub(crate) gaps: bool,
    /// Leave the stream behind
    #[arg(long)]
    pub(crate) keep: bool,
    /// Don't read everything back at the end of put
    #[arg(long)]
    pub(crate) skip_check: bool,
    /// The server's admin address, such as http://127.0.0.1:4568: counts syncs
    #[arg(long, value_name = "URL")]
    pub(crate) admin_endpoint: Option<String>,
}

/// What to measure.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchKind {
    /// PutRecords
    Put,
    /// GetRecords
    Get,
}
