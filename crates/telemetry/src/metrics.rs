//! The table of metrics.

use prometheus::{Gauge, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry};

use crate::kind::Handle;
use crate::{Declaration, Unit};

/// From a fast disk's sync to one that users notice.
const SYNC_SECONDS: &[f64] = &[0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1.0, 5.0];
/// From a read out of memory to the longest time a request may take.
const REQUEST_SECONDS: &[f64] = &[0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];
/// Puts that share one entry: 1 where they come singly, more where they gather.
const GATHERED: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

macro_rules! metrics {
    ($($field:ident: $type:ty = $name:literal, $unit:ident, $labels:expr, $buckets:expr, $help:literal;)*) => {
        /// The metrics as typed handles.
        pub struct Metrics {$(
            #[doc = $help]
            pub $field: $type,
        )*}

        /// All metrics, in the order of the reference.
        pub const DECLARATIONS: &[Declaration] = &[$(Declaration {
            name: $name,
            kind: <$type as Handle>::KIND,
            unit: Unit::$unit,
            help: $help,
            labels: &$labels,
            buckets: $buckets,
        }),*];

        impl Metrics {
            pub(crate) fn register(registry: &Registry) -> prometheus::Result<Metrics> {
                let mut declarations = DECLARATIONS.iter();
                let mut next = || declarations.next().ok_or(prometheus::Error::AlreadyReg);
                Ok(Metrics { $($field: <$type as Handle>::register(next()?, registry)?,)* })
            }
        }
    };
}

metrics! {
    requests: IntCounterVec = "thalweg_api_requests_total", Count, ["operation", "status"], &[],
        "Answered requests by operation and HTTP status.";
    request_seconds: HistogramVec = "thalweg_api_request_seconds", Seconds, ["operation", "status"], REQUEST_SECONDS,
        "Time from a request's last byte to its reply's first, by operation and HTTP status.";
    connections_open: IntGauge = "thalweg_api_connections_open", Count, [], &[],
        "Open connections of API clients.";
    in_flight_bytes: IntGauge = "thalweg_api_in_flight_bytes", Bytes, [], &[],
        "Memory that requests and replies hold at the moment. Bounded by `http.memory_bytes_max`.";

    put_records: IntCounter = "thalweg_shard_put_records_total", Count, [], &[],
        "Records that were committed for a put of this node.";
    put_bytes: IntCounter = "thalweg_shard_put_bytes_total", Bytes, [], &[],
        "Encoded bytes of the records that were committed.";
    puts: IntCounterVec = "thalweg_shard_puts_total", Count, ["outcome"], &[],
        "Batches for one shard by outcome: `accepted`, `partly` (the rest was over the shard's limit), `throttled`, `overloaded`, \
         `disk_full`, `unknown` (may or may not have been written) or `refused` (the shard is closed, gone, damaged or elsewhere).";
    put_throttled_records: IntCounter = "thalweg_shard_put_throttled_records_total", Count, [], &[],
        "Records refused because their shard's write limit was reached.";
    put_entry_batches: Histogram = "thalweg_shard_put_entry_batches", Count, [], GATHERED,
        "Batches that were gathered into one Raft entry.";
    put_queued_bytes: IntGauge = "thalweg_shard_put_queued_bytes", Bytes, [], &[],
        "Bytes of puts that wait for their shard or are in flight.";
    gets: IntCounterVec = "thalweg_shard_gets_total", Count, ["outcome"], &[],
        "Reads of a shard by outcome: `records`, `empty`, `throttled`, `failed` or `refused` (the shard is gone, damaged or elsewhere).";
    get_records: IntCounter = "thalweg_shard_get_records_total", Count, [], &[],
        "Records read.";
    get_bytes: IntCounter = "thalweg_shard_get_bytes_total", Bytes, [], &[],
        "Bytes of data and partition keys read.";
    get_held_bytes: IntGauge = "thalweg_shard_get_held_bytes", Bytes, [], &[],
        "Bytes that reads hold at the moment, until their replies are made.";
    trims: IntCounter = "thalweg_shard_trims_total", Count, [], &[],
        "Trim points that were moved because records had passed their retention.";
    shards_open: IntGauge = "thalweg_shard_shards_open", Count, [], &[],
        "Shards that this node serves.";

    raft_groups_open: IntGauge = "thalweg_raft_groups_open", Count, [], &[],
        "Raft groups that run on this node.";
    raft_groups_stopped: IntCounter = "thalweg_raft_groups_stopped_total", Count, [], &[],
        "Raft groups that stopped because of an error. Alert on any: a restart of the node is needed.";
    groups_damaged: IntGauge = "thalweg_raft_groups_damaged", Count, [], &[],
        "Groups whose data on this node is damaged. They neither vote nor serve here. Alert on any.";

    transport_connections_open: IntGauge = "thalweg_transport_connections_open", Count, [], &[],
        "Open connections between this node and others, those made here and those accepted.";
    transport_connect_failures: IntCounter = "thalweg_transport_connect_failures_total", Count, [], &[],
        "Attempts to connect to another node that failed, be it unreachable or refusing.";
    transport_calls: IntCounterVec = "thalweg_transport_calls_total", Count, ["outcome"], &[],
        "Calls to other nodes by outcome: `answered`, `refused`, `not_sent`, `unknown` (lost or late, may have been carried out) or \
         `dropped` (nobody waited for the answer).";
    transport_served_calls: IntCounterVec = "thalweg_transport_served_calls_total", Count, ["outcome"], &[],
        "Calls from other nodes by outcome: `answered`, `refused` or `dropped` (the deadline passed or the connection ended first).";
    transport_sent_bytes: IntCounter = "thalweg_transport_sent_bytes_total", Bytes, [], &[],
        "Bytes written to other nodes, before encryption.";
    transport_received_bytes: IntCounter = "thalweg_transport_received_bytes_total", Bytes, [], &[],
        "Bytes read from other nodes, after decryption.";
    transport_in_flight_bytes: IntGauge = "thalweg_transport_in_flight_bytes", Bytes, [], &[],
        "Bytes of calls and answers, to and from other nodes, that are not finished. Bounded for each connection.";

    journal_syncs: IntCounter = "thalweg_journal_syncs_total", Count, [], &[],
        "Syncs of the journal.";
    journal_blocks: IntCounter = "thalweg_journal_blocks_total", Count, [], &[],
        "Blocks written to the journal, one write and one sync each.";
    journal_frames: IntCounter = "thalweg_journal_frames_total", Count, [], &[],
        "Frames written to the journal: entries, votes, trims and the like of all groups.";
    journal_written_bytes: IntCounter = "thalweg_journal_written_bytes_total", Bytes, [], &[],
        "Bytes written to the journal.";
    journal_sync_seconds: Histogram = "thalweg_journal_sync_seconds", Seconds, [], SYNC_SECONDS,
        "Time of one write and sync of the journal.";
    tail_bytes: IntGauge = "thalweg_journal_tail_bytes", Bytes, [], &[],
        "Memory of the newest entries of all groups. Bounded by `journal.tail_bytes_max`.";
    unflushed_bytes: IntGauge = "thalweg_journal_unflushed_bytes", Bytes, [], &[],
        "The part of the tails that is in no segment yet. New records are refused when it fills the memory of the tails.";
    flushes: IntCounter = "thalweg_journal_flushes_total", Count, [], &[],
        "Segments written.";
    segments: IntGauge = "thalweg_journal_segments", Count, [], &[],
        "Segment files.";
    segment_bytes: IntGauge = "thalweg_journal_segment_bytes", Bytes, [], &[],
        "Bytes of the segment files.";
    recovery_seconds: Gauge = "thalweg_journal_recovery_seconds", Seconds, [], &[],
        "How long the last start took to recover the journal.";
    disk_free_bytes: IntGauge = "thalweg_disk_free_bytes", Bytes, [], &[],
        "Free space of the data directory's file system. Alert well above `journal.free_bytes_reserve`.";
}
