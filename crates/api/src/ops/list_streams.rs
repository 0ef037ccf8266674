//! ListStreams

use router::{InvalidArgument, RouterError, StreamView};
use wire::ops::{ListStreams, ListStreamsReply, StreamSummary};
use wire::{AwsError, Protocol};

use crate::Api;
use crate::dispatch::Outcome;
use crate::respond::body;
use crate::shapes::{created, limit, mode_details, stream_status};

pub(crate) fn list_streams(api: &Api, protocol: Protocol, request: &ListStreams<'_>) -> Outcome {
    let (start, token) = (request.exclusive_start_stream_name.as_deref(), request.next_token.as_deref());
    let page = api.router().list_streams(start, token, limit(request.limit)).map_err(|error| match error {
        // A token is a name; one that can't be a name isn't ours.
        RouterError::InvalidArgument(InvalidArgument::StreamName { .. }) => AwsError::next_token_invalid(),
        error => api.refuse(error),
    })?;
    let reply = ListStreamsReply {
        stream_names: page.streams.iter().map(|stream| stream.name().into()).collect(),
        has_more_streams: page.has_more,
        next_token: page.next_token.map(Into::into),
        stream_summaries: page.streams.iter().map(summary).collect(),
    };
    Ok(body(protocol, &reply))
}

fn summary(stream: &StreamView) -> StreamSummary<'_> {
    StreamSummary {
        stream_name: stream.name().into(),
        stream_arn: stream.arn.to_string().into(),
        stream_status: stream_status(stream.status),
        stream_mode_details: mode_details(stream),
        stream_creation_timestamp: created(stream),
    }
}
