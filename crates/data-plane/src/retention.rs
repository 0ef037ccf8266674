//! Moves the trim points of this node's shards.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use shard_state::{Command, Outcome, TrimPoint};
use tokio::sync::watch;
use types::{RecordNumber, TimestampMs};

use crate::plane::Inner;
use crate::reply;
use crate::shard::{Shard, stopped};

/// What retention knows of a shard.
#[derive(Debug, Default)]
pub(crate) struct Trimming {
    /// The oldest retained record and its arrival, so that a shard where nothing is due is not looked into.
    oldest: Option<(RecordNumber, TimestampMs)>,
    /// The log was last compacted up to here.
    compacted: u64,
}

impl Trimming {
    /// That of a shard whose log's snapshot stands at an index; 0 without one.
    pub(crate) fn new(compacted: u64) -> Trimming {
        Trimming { oldest: None, compacted }
    }
}

/// One task for all shards of the node.
pub(crate) async fn run(plane: Arc<Inner>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            () = plane.env.clock.sleep(plane.options.retention_interval) => {}
        }
        // Looked at even when nothing is trimmed: the clock's history must have no long gaps.
        plane.clock.now();
        if plane.clock.uptime() < plane.options.retention_settle {
            continue;
        }
        let trims = stream::iter(plane.slots.open_shards()).map(|shard| async move { trim(&shard).await });
        let all = trims.buffer_unordered(plane.options.trims_at_once.max(1)).for_each(|()| std::future::ready(()));
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            () = all => {}
        }
    }
}

/// Lets go of the shard's records that have passed its retention: the leader says how far, each replica drops what is before.
/// Whatever fails is tried again the next time.
pub(crate) async fn trim(shard: &Shard) {
    if shard.failure.get().is_some() {
        return;
    }
    if let Err(error) = try_trim(shard).await {
        tracing::warn!(group = %shard.group_id, %error, "the shard could not be trimmed");
    }
}

async fn try_trim(shard: &Shard) -> Result<(), String> {
    let mut trimming = shard.trimming.lock().await;
    if shard.serves().is_ok() && is_due(shard, &mut trimming).await? {
        propose(shard).await?;
    }
    let trimmed = shard.published().trim.index;
    if trimmed > trimming.compacted {
        shard.group.compact().await.map_err(|error| error.to_string())?;
        trimming.compacted = trimmed;
        tracing::debug!(group = %shard.group_id, upto = trimmed, "log compacted");
    }
    Ok(())
}

/// Whether the oldest record has passed its retention.
async fn is_due(shard: &Shard, trimming: &mut Trimming) -> Result<bool, String> {
    let first = shard.published().trim.next_record;
    if trimming.oldest.is_none_or(|(number, _)| number != first) {
        let entries = shard.log.read_records(first, 1).await.map_err(|error| shard.log_failed(error));
        let entries = entries.map_err(|reason| format!("{reason:?}"))?;
        trimming.oldest = entries.first().map(|entry| (first, entry.arrival));
    }
    let expired_before = shard.clock.expired_before(shard.retention_ms());
    Ok(trimming.oldest.is_some_and(|(_, arrival)| arrival < expired_before))
}

async fn propose(shard: &Shard) -> Result<(), String> {
    let expired_before = shard.clock.expired_before(shard.retention_ms());
    let seek = shard.log.seek_arrival(expired_before).await.map_err(|error| shard.log_failed(error));
    let Some(before) = seek.map_err(|reason| format!("{reason:?}"))?.before else { return Ok(()) };
    let point = TrimPoint {
        index: before.log_id.index,
        term: before.log_id.term,
        next_record: before.next_record,
        last_arrival: before.arrival,
    };
    if point.next_record <= shard.published().trim.next_record {
        return Ok(());
    }
    let answer = shard.group.propose(Command::Trim(point).encode()).await.map_err(|error| error.to_string())?;
    match reply::decode(&answer).map(|applied| applied.outcome) {
        Some(Outcome::Trimmed) => {
            shard.telemetry.trims.inc();
            tracing::debug!(group = %shard.group_id, next_record = %point.next_record, "shard trimmed");
            Ok(())
        }
        Some(Outcome::StaleTrim) => Ok(()),
        other => Err(format!("the trim to {point:?} was refused: {other:?}")),
    }
}
