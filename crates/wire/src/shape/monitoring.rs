//! `EnhancedMetrics`

use std::borrow::Cow;

use serde::Serialize;

/// The shard-level metrics that are turned on. AWS always sends one of these, with an empty list by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnhancedMetrics<'a> {
    /// Names of metrics.
    pub shard_level_metrics: Vec<Cow<'a, str>>,
}
