//! GetRecords

use router::ChildShard;
use types::SEQUENCE_NUMBER_DIGITS;
use wire::ops::GetRecords;
use wire::{AwsError, GetRecordsEnd, GetRecordsWriter, Protocol, RecordView};

use crate::Api;
use crate::dispatch::Outcome;
use crate::shapes::{hash_key_range, limit, stream_ref};

/// Room for what stands around the records.
const FRAME_BYTES: usize = 1 << 10;

pub(crate) async fn get_records(api: &Api, protocol: Protocol, request: GetRecords<'_>) -> Outcome {
    let stream = stream_ref(request.stream());
    let read = api.router().get_records(&request.shard_iterator, limit(request.limit), stream).await;
    let read = read.map_err(|error| api.refuse(error))?;
    let size = |record: &router::ReadRecord| {
        GetRecordsWriter::record_bytes(record.record.partition_key.len(), record.record.data.len())
    };
    let mut out = Vec::with_capacity(FRAME_BYTES + read.records().iter().map(size).sum::<usize>());
    let mut writer = GetRecordsWriter::new(protocol, &mut out);
    let mut digits = [0; SEQUENCE_NUMBER_DIGITS];
    for record in read.records() {
        writer.record(&RecordView {
            sequence_number: read.sequence_number(record).write_digits(&mut digits),
            arrival_ms: record.arrival.0,
            partition_key: record.record.partition_key_str().map_err(|_| AwsError::internal_failure())?,
            data: &record.record.data,
        });
    }
    let children: Vec<_> = read.children.iter().map(child_shape).collect();
    writer.finish(&GetRecordsEnd {
        next_shard_iterator: read.next.as_deref(),
        millis_behind_latest: read.millis_behind(),
        child_shards: &children,
    });
    Ok(out)
}

fn child_shape(child: &ChildShard) -> wire::shape::ChildShard<'static> {
    wire::shape::ChildShard {
        shard_id: child.shard.to_string().into(),
        parent_shards: child.parents.iter().map(|parent| parent.to_string().into()).collect(),
        hash_key_range: hash_key_range(child.range),
    }
}
