use catalog_state::{Stream, StreamMode, StreamStatus};
use types::{StreamArn, TimestampMs};

/// A stream as it is described, without its shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamView {
    /// Region, account and name.
    pub arn: StreamArn,
    /// What may be done with it.
    pub status: StreamStatus,
    /// How it grows.
    pub mode: StreamMode,
    /// When it was created.
    pub created: TimestampMs,
    /// Hours for which a record stays readable.
    pub retention_hours: u32,
    /// KiB of a record at most.
    pub max_record_kib: u32,
    /// How many shards are open; 0 while it is being created.
    pub open_shards: u32,
}

impl StreamView {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.name().as_str()
    }

    pub(crate) fn of(stream: &Stream) -> StreamView {
        let open = if stream.status == StreamStatus::Creating { 0 } else { stream.open_shards().count() };
        StreamView {
            arn: stream.arn.clone(),
            status: stream.status,
            mode: stream.mode,
            created: stream.created,
            retention_hours: stream.retention_hours,
            max_record_kib: stream.max_record_kib,
            // A stream has fewer than 2^31 shards.
            open_shards: u32::try_from(open).unwrap_or(u32::MAX),
        }
    }
}
