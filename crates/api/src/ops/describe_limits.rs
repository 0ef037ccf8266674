//! DescribeLimits

use router::StreamMode;
use types::limits::PAGE_MAX;
use wire::Protocol;
use wire::ops::DescribeLimitsReply;

use crate::Api;
use crate::dispatch::Outcome;
use crate::respond::body;

/// The most that the model lets a count be. SDKs read counts as signed numbers of 32 bits: "no bound" must not be `u32::MAX`.
const COUNT_MAX: u32 = 1_000_000;

pub(crate) fn describe_limits(api: &Api, protocol: Protocol) -> Outcome {
    let limits = api.router().options().account_limits;
    let mut reply = DescribeLimitsReply {
        shard_limit: limits.provisioned_shards.min(COUNT_MAX),
        open_shard_count: 0,
        on_demand_stream_count: 0,
        on_demand_stream_count_limit: limits.on_demand_streams.min(COUNT_MAX),
    };
    let mut after = None;
    loop {
        let page = api.router().list_streams(None, after.as_deref(), Some(PAGE_MAX));
        let page = page.map_err(|error| api.refuse(error))?;
        for stream in &page.streams {
            match stream.mode {
                StreamMode::Provisioned => reply.open_shard_count += stream.open_shards,
                StreamMode::OnDemand => reply.on_demand_stream_count += 1,
            }
        }
        after = page.next_token;
        if after.is_none() {
            return Ok(body(protocol, &reply));
        }
    }
}
