use super::client::CallError;
use crate::http::EndpointError;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// Not an address that can be reached.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An operation that must succeed didn't.
    #[error("{operation}: {error}")]
    Call { operation: &'static str, error: CallError },
    /// A reply is not as it should be.
    #[error("{operation} answered something else than expected: {reason}")]
    Reply { operation: &'static str, reason: String },
    /// Batches have at most 500 records and 10 MiB.
    #[error("{batch} records of {record_bytes} bytes don't fit into one PutRecords: 500 records and 10 MiB with keys")]
    Batch { batch: u32, record_bytes: u32 },
    /// The stream did not become ready.
    #[error("the stream {0} is not ACTIVE after 60 seconds")]
    NotActive(String),
    /// The metrics page has no sync counter.
    #[error("{0} has no metric {1}")]
    NoMetric(String, &'static str),
}
