//! DeleteStream

use wire::ops::DeleteStream;

use crate::Api;
use crate::dispatch::Outcome;
use crate::shapes::stream_ref;

/// `EnforceConsumerDeletion` has nothing to enforce: streams have no consumers in this release.
pub(crate) async fn delete_stream(api: &Api, request: DeleteStream<'_>) -> Outcome {
    api.router().delete_stream(stream_ref(request.stream())).await.map_err(|error| api.refuse(error))?;
    Ok(Vec::new())
}
