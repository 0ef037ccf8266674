//! How often the server has synced its journal, from its metrics.

use env::Env;

use super::client::Client;
use super::error::BenchError;
use crate::http::Endpoint;

/// Declared in `telemetry`.
const METRIC: &str = "thalweg_journal_syncs_total";

/// The count since it was opened, if there is an admin address to ask.
pub(crate) struct Syncs(Option<Source>);

struct Source {
    url: String,
    client: Client,
    at_open: u64,
}

impl Syncs {
    pub(crate) async fn open(env: &Env, admin_url: Option<&str>) -> Result<Syncs, BenchError> {
        let Some(url) = admin_url else { return Ok(Syncs(None)) };
        let endpoint = Endpoint::find(url).await?;
        let mut source = Source { url: url.to_owned(), client: Client::new(env, &endpoint), at_open: 0 };
        source.at_open = source.count().await?;
        Ok(Syncs(Some(source)))
    }

    pub(crate) async fn since_open(&mut self) -> Result<Option<u64>, BenchError> {
        let Some(source) = &mut self.0 else { return Ok(None) };
        Ok(Some(source.count().await?.saturating_sub(source.at_open)))
    }
}

impl Source {
    async fn count(&mut self) -> Result<u64, BenchError> {
        let page = self.client.page("/metrics").await;
        let page = page.map_err(|error| BenchError::Call { operation: "/metrics", error })?;
        value(&String::from_utf8_lossy(&page), METRIC).ok_or_else(|| BenchError::NoMetric(self.url.clone(), METRIC))
    }
}

/// The value of a metric without labels on a Prometheus page.
fn value(page: &str, metric: &str) -> Option<u64> {
    let line = page.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '))?;
    line.trim().parse::<f64>().ok().map(|value| value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_among_others_that_begin_like_it() {
        let page = "# HELP a_total x\n# TYPE a_total counter\na_total_more 7\na_total 12\n";
        assert_eq!(value(page, "a_total"), Some(12));
        assert_eq!(value(page, "a"), None);
    }
}
