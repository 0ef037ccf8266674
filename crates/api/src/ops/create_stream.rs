//! CreateStream

use router::Capacity;
use types::limits::RECORD_KIB_DEFAULT;
use wire::AwsError;
use wire::ops::CreateStream;
use wire::shape::StreamMode;

use crate::Api;
use crate::dispatch::Outcome;

pub(crate) async fn create_stream(api: &Api, request: CreateStream<'_>) -> Outcome {
    check_supported(&request)?;
    let capacity = capacity(&request)?;
    api.router().create_stream(&request.stream_name, capacity).await.map_err(|error| api.refuse(error))?;
    Ok(Vec::new())
}

fn capacity(request: &CreateStream<'_>) -> Result<Capacity, AwsError> {
    match (request.stream_mode(), request.shard_count) {
        (StreamMode::OnDemand, None) => Ok(Capacity::OnDemand),
        (StreamMode::OnDemand, Some(_)) => Err(AwsError::shard_count_with_on_demand()),
        // Validation has refused counts below 1.
        (StreamMode::Provisioned, count) => {
            let shards = count.and_then(|count| u32::try_from(count).ok());
            let shards = shards.ok_or_else(|| AwsError::not_supported("StreamMode PROVISIONED without ShardCount"))?;
            Ok(Capacity::Provisioned { shards })
        }
    }
}

/// What would be promised and not kept is refused.
fn check_supported(request: &CreateStream<'_>) -> Result<(), AwsError> {
    if request.tags.is_some() {
        return Err(AwsError::not_supported("Tags"));
    }
    if request.warm_throughput_mibps.is_some() {
        return Err(AwsError::not_supported("WarmThroughputMiBps"));
    }
    match request.max_record_size_in_kib {
        Some(kib) if u32::try_from(kib) != Ok(RECORD_KIB_DEFAULT) => Err(AwsError::not_supported("MaxRecordSizeInKiB")),
        _ => Ok(()),
    }
}
