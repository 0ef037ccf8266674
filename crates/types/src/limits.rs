//! AWS' quotas and bounds, each with its unit and source. *Model* is the service model that ships with the SDKs,
//! *guide* the page "Quotas and limits" of the Kinesis Data Streams developer guide, *API* the reference of the operation.
//!
//! They are defaults: what is configurable says so where it is configured.

/// Bytes of one KiB.
pub const KIB: u64 = 1_024;
/// Bytes of one MiB.
pub const MIB: u64 = 1_024 * KIB;

/// Characters of a stream name (model, `StreamName`).
pub const STREAM_NAME_CHARS_MAX: usize = 128;

/// Unicode characters of a partition key, at least 1 (model, `PartitionKey`).
pub const PARTITION_KEY_CHARS_MAX: usize = 256;
/// Bytes of a partition key: each of its characters takes up to 4 in UTF-8.
pub const PARTITION_KEY_BYTES_MAX: usize = PARTITION_KEY_CHARS_MAX * 4;

/// Bytes of a record, data and partition key, where the stream has not asked for more (guide).
pub const RECORD_BYTES_DEFAULT: u64 = RECORD_KIB_DEFAULT as u64 * KIB;
/// KiB of a record where the stream has not asked for more: the least that can be asked for (model, `MaxRecordSizeInKiB`).
pub const RECORD_KIB_DEFAULT: u32 = 1_024;
/// KiB of a record that a stream can ask for at most (model, `MaxRecordSizeInKiB`).
pub const RECORD_KIB_MAX: u32 = 10_240;
/// Bytes of the largest record of any stream.
pub const RECORD_BYTES_MAX: u64 = RECORD_KIB_MAX as u64 * KIB;

/// Records of one PutRecords, at least 1 (model, `PutRecordsRequestEntryList`).
pub const PUT_RECORDS_COUNT_MAX: usize = 500;
/// Bytes of one PutRecords, data and partition keys (API, PutRecords).
pub const PUT_RECORDS_BYTES_MAX: u64 = 10 * MIB;

/// Bytes written per second and shard (guide).
pub const SHARD_WRITE_BYTES_PER_SEC: u64 = MIB;
/// Records written per second and shard (guide).
pub const SHARD_WRITE_RECORDS_PER_SEC: u64 = 1_000;
/// Bytes read per second and shard by GetRecords, all readers together (guide).
pub const SHARD_READ_BYTES_PER_SEC: u64 = 2 * MIB;
/// GetRecords calls per second and shard (guide).
pub const SHARD_READ_CALLS_PER_SEC: u64 = 5;
/// Seconds for which further reads of the shard are throttled after one GetRecords of the full size (API, GetRecords).
pub const SHARD_READ_PAUSE_SEC_MAX: u64 = 5;

/// Records of one GetRecords; also what it gives without a limit (model, `GetRecordsInputLimit`).
pub const GET_RECORDS_COUNT_MAX: u32 = 10_000;
/// Bytes of the records of one GetRecords (API, GetRecords).
pub const GET_RECORDS_BYTES_MAX: u64 = 10 * MIB;
/// Milliseconds for which a shard iterator is valid (API, GetShardIterator).
pub const ITERATOR_LIFETIME_MS: u64 = 300_000;
/// GetShardIterator calls per second and shard (API, GetShardIterator).
pub const GET_SHARD_ITERATOR_CALLS_PER_SEC: u64 = 5;

/// Hours for which a new stream keeps records, and the least there is (model and guide).
pub const RETENTION_HOURS_DEFAULT: u32 = 24;
/// Hours for which a stream can keep records at least (guide).
pub const RETENTION_HOURS_MIN: u32 = 24;
/// Hours for which a stream can keep records at most: 365 days (guide).
pub const RETENTION_HOURS_MAX: u32 = 8_760;

/// Shards of a new on-demand stream (guide, "capacity mode").
pub const ON_DEMAND_SHARDS_DEFAULT: u32 = 4;
/// Open shards of an account's provisioned streams. AWS' figure differs by region and has grown over the years (200 and
/// 500 in older guides), so this one is ours: it bounds the groups of a small cluster. Configurable.
pub const ACCOUNT_SHARDS_DEFAULT: u32 = 2_000;
/// Shards of one stream at its creation. Ours: AWS' largest quotas are of this size, and the command that makes them, the reply that
/// lists them and a start that opens them stay below a few seconds and MiB each.
pub const STREAM_SHARDS_MAX: u32 = 10_000;
/// Open shards of the whole cluster. Ours: each is a Raft group of about 0.1 MiB on every node that has a replica, and a few hundred bytes
/// in each checkpoint and in the catalog; beyond this a node would neither start nor write checkpoints in time.
pub const OPEN_SHARDS_MAX: u32 = 100_000;
/// On-demand streams of an account (guide). Configurable.
pub const ACCOUNT_ON_DEMAND_STREAMS_DEFAULT: u32 = 50;
/// CreateStream: streams that may be in the state CREATING at once (API, CreateStream).
pub const CREATING_STREAMS_MAX: u32 = 5;

/// Registered consumers of a stream (guide).
pub const STREAM_CONSUMERS_MAX: usize = 20;
/// Registered consumers of a stream with the on-demand advantage (guide).
pub const STREAM_CONSUMERS_ADVANTAGE_MAX: usize = 50;
/// Tags of a stream or consumer (guide).
pub const TAGS_MAX: usize = 50;

/// Calls per second of CreateStream, DeleteStream, SplitShard, MergeShards and other control operations (guide: 5 to 10; most 10).
pub const CONTROL_CALLS_PER_SEC: u64 = 10;
/// CreateStream, DeleteStream, IncreaseStreamRetentionPeriod, DecreaseStreamRetentionPeriod calls per second (guide).
pub const STREAM_CHANGE_CALLS_PER_SEC: u64 = 5;
/// DescribeStreamSummary calls per second (guide).
pub const DESCRIBE_STREAM_SUMMARY_CALLS_PER_SEC: u64 = 20;
/// ListStreams calls per second (guide).
pub const LIST_STREAMS_CALLS_PER_SEC: u64 = 5;
/// ListShards calls per second and stream (guide).
pub const LIST_SHARDS_CALLS_PER_SEC: u64 = 1_000;

/// Shards of one DescribeStream, and how many it gives without a limit (API, DescribeStream).
pub const DESCRIBE_STREAM_SHARDS_DEFAULT: u32 = 100;
/// `Limit` of DescribeStream and ListStreams, `MaxResults` of ListShards: the greatest value (model).
pub const PAGE_MAX: u32 = 10_000;
/// Streams of one ListStreams without a limit (API, ListStreams).
pub const LIST_STREAMS_DEFAULT: u32 = 100;
/// Shards of one ListShards without a limit (API, ListShards).
pub const LIST_SHARDS_DEFAULT: u32 = 1_000;
/// Milliseconds for which the `NextToken` of ListShards is valid (API, ListShards).
pub const NEXT_TOKEN_LIFETIME_MS: u64 = 300_000;
/// Milliseconds after which a SubscribeToShard connection ends (API, SubscribeToShard).
pub const SUBSCRIPTION_LIFETIME_MS: u64 = 300_000;
/// Milliseconds within which a consumer's second subscription to a shard is refused (API, SubscribeToShard).
pub const SUBSCRIPTION_TAKEOVER_MS: u64 = 5_000;

const _: () = {
    assert!(
        RECORD_BYTES_DEFAULT <= SHARD_WRITE_BYTES_PER_SEC,
        "else the largest default record never fits its shard's rate"
    );
    assert!(RECORD_BYTES_MAX <= PUT_RECORDS_BYTES_MAX, "else the largest record fits no put");
    assert!(RECORD_BYTES_MAX <= GET_RECORDS_BYTES_MAX, "else a reader never gets past the largest record");
    assert!(
        GET_RECORDS_BYTES_MAX <= SHARD_READ_BYTES_PER_SEC * SHARD_READ_PAUSE_SEC_MAX,
        "the pause pays for the read"
    );
    assert!(PARTITION_KEY_BYTES_MAX <= u16::MAX as usize, "a stored record has two bytes for the key's length");
    assert!(RECORD_BYTES_MAX <= u32::MAX as u64, "a stored record has four bytes for the data's length");
    assert!(RETENTION_HOURS_MIN <= RETENTION_HOURS_DEFAULT && RETENTION_HOURS_DEFAULT <= RETENTION_HOURS_MAX);
    assert!(ON_DEMAND_SHARDS_DEFAULT <= ACCOUNT_SHARDS_DEFAULT);
    assert!(ACCOUNT_SHARDS_DEFAULT <= STREAM_SHARDS_MAX && STREAM_SHARDS_MAX <= OPEN_SHARDS_MAX);
    assert!(PUT_RECORDS_COUNT_MAX as u64 <= SHARD_WRITE_RECORDS_PER_SEC, "a full put to one shard fits its rate");
    assert!(SUBSCRIPTION_TAKEOVER_MS < SUBSCRIPTION_LIFETIME_MS);
};
