//! PutRecords

use std::collections::BTreeMap;

use router::PutOutcome;
use types::limits::PUT_RECORDS_BYTES_MAX;
use types::{SEQUENCE_NUMBER_DIGITS, ShardId};
use wire::ops::{PutRecords, PutRecordsEntry};
use wire::{AwsError, Protocol, PutRecordsWriter};

use super::put_entry::Entry;
use crate::Api;
use crate::dispatch::Outcome;
use crate::shapes::{SHARD_ID_ROOM, shard_id_text, stream_ref};

/// Bytes of one stored record in a reply of JSON: two names, a sequence number and a shard id.
const ENTRY_BYTES: usize = 128;

pub(crate) async fn put_records(api: &Api, protocol: Protocol, request: PutRecords<'_>) -> Outcome {
    check_size(&request.records)?;
    let entries = request.records.iter().map(|entry| Entry {
        data: &entry.data,
        partition_key: &entry.partition_key,
        explicit_hash_key: entry.explicit_hash_key.as_deref(),
    });
    let outcomes = api.router().put_records(stream_ref(request.stream()), entries).await;
    let outcomes = outcomes.map_err(|error| api.refuse(error))?;
    let mut out = Vec::with_capacity(ENTRY_BYTES * (outcomes.len() + 1));
    let mut refusals = Refusals { api, request: &request, throttled: BTreeMap::new() };
    let mut writer = PutRecordsWriter::new(protocol, &mut out);
    let (mut shard, mut digits) = (SHARD_ID_ROOM, [0; SEQUENCE_NUMBER_DIGITS]);
    for outcome in outcomes {
        match outcome {
            PutOutcome::Stored(put) => {
                writer.stored(put.sequence.write_digits(&mut digits), shard_id_text(put.shard, &mut shard));
            }
            PutOutcome::Throttled { shard } => writer.failed(refusals.throttled(shard)),
            PutOutcome::Overloaded(refusal) => writer.failed(&AwsError::write_overloaded(refusal.as_str())),
            PutOutcome::Failed => writer.failed(&AwsError::internal_failure_of_record()),
        }
    }
    writer.finish();
    Ok(out)
}

/// The bound of one record is the stream's and checked where the stream is known.
fn check_size(records: &[PutRecordsEntry<'_>]) -> Result<(), AwsError> {
    let bytes: usize = records.iter().map(PutRecordsEntry::size_bytes).sum();
    if bytes as u64 <= PUT_RECORDS_BYTES_MAX {
        return Ok(());
    }
    Err(AwsError::records_too_large(PUT_RECORDS_BYTES_MAX as usize))
}

/// The errors of throttled records, made once for each shard: there may be hundreds of records.
struct Refusals<'r> {
    api: &'r Api,
    request: &'r PutRecords<'r>,
    throttled: BTreeMap<ShardId, AwsError>,
}

impl Refusals<'_> {
    fn throttled(&mut self, shard: ShardId) -> &AwsError {
        self.throttled.entry(shard).or_insert_with(|| {
            let named = self.request.stream();
            let of_arn = || named.arn.and_then(|arn| arn.rsplit('/').next());
            let stream = named.name.or_else(of_arn).or(named.id).unwrap_or_default();
            AwsError::write_rate_exceeded(&shard.to_string(), stream, self.api.account())
        })
    }
}
