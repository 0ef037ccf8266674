//! DescribeLimits

use serde::{Deserialize, Serialize};

use crate::Operation;
use crate::decode::Input;
use crate::member::Structure;
use crate::validate::ValidationErrors;

/// Describes the quotas of the account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct DescribeLimits {}

impl Structure<'_> for DescribeLimits {}

impl Input<'_> for DescribeLimits {
    const OPERATION: Operation = Operation::DescribeLimits;

    fn validate(&self, _: &mut ValidationErrors) {}
}

/// The reply of DescribeLimits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeLimitsReply {
    /// Most shards that provisioned streams may have together.
    pub shard_limit: u32,
    /// Shards that they have.
    pub open_shard_count: u32,
    /// On-demand streams that there are.
    pub on_demand_stream_count: u32,
    /// Most on-demand streams that there may be.
    pub on_demand_stream_count_limit: u32,
}
