use std::fmt::Write as _;

use crate::DECLARATIONS;

const HEAD: &str = "# Metrics\n\n\
Served at `/metrics` of the admin address in the text format of Prometheus. Counters begin at zero with each start of the process.\n\n\
| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n";

/// The page `docs/reference/metrics.md`, as `cargo run -p telemetry --example reference` prints it.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for metric in DECLARATIONS {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            metric.name,
            metric.kind.word(),
            metric.unit.word(),
            labels.join(", "),
            metric.help
        );
    }
    page
}
