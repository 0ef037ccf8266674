//! DecreaseStreamRetentionPeriod

use router::RetentionChange;
use wire::ops::DecreaseStreamRetentionPeriod;

use crate::Api;
use crate::dispatch::Outcome;
use crate::shapes::stream_ref;

pub(crate) async fn decrease_stream_retention_period(api: &Api, request: DecreaseStreamRetentionPeriod<'_>) -> Outcome {
    let (stream, hours) = (stream_ref(request.stream()), *request.retention_period_hours);
    let changed = api.router().set_retention(stream, hours, RetentionChange::Decrease).await;
    changed.map_err(|error| api.refuse(error))?;
    Ok(Vec::new())
}
