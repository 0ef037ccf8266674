use std::collections::BTreeSet;
use std::time::Duration;

use crate::{DECLARATIONS, Kind, Telemetry, Unit, reference};

#[test]
fn names_are_unique_and_say_their_part_and_unit() {
    let mut seen = BTreeSet::new();
    for metric in DECLARATIONS {
        assert!(seen.insert(metric.name), "{} is declared twice", metric.name);
        let parts: Vec<&str> = metric.name.split('_').collect();
        assert!(parts.len() >= 3 && parts[0] == "thalweg", "{}", metric.name);
        assert!(
            ["api", "shard", "raft", "transport", "journal", "disk"].contains(&parts[1]),
            "{}: which part is this?",
            metric.name
        );
        let words_are_plain = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()));
        assert!(words_are_plain, "{}", metric.name);

        let stem = metric.name.strip_suffix("_total");
        assert_eq!(stem.is_some(), metric.kind == Kind::Counter, "{}: only counters are totals", metric.name);
        let last = stem.unwrap_or(metric.name).rsplit('_').next().unwrap();
        match metric.unit {
            Unit::Count => assert!(!["bytes", "seconds"].contains(&last), "{} has another unit", metric.name),
            unit => assert_eq!(last, unit.word(), "{}", metric.name),
        }
    }
}

#[test]
fn every_metric_says_what_it_means() {
    for metric in DECLARATIONS {
        assert!(metric.help.len() >= 12 && metric.help.ends_with('.'), "{}: {}", metric.name, metric.help);
        assert!(!metric.help.contains(['|', '\n']), "{}: the help must fit into a table", metric.name);
        assert_eq!(metric.kind == Kind::Histogram, !metric.buckets.is_empty(), "{}", metric.name);
        assert!(metric.buckets.is_sorted_by(|a, b| a < b), "{}: buckets out of order", metric.name);
    }
}

#[test]
fn each_handle_counts_under_its_own_name() {
    let telemetry = Telemetry::new();
    telemetry.journal_syncs.inc_by(3);
    telemetry.clone().disk_free_bytes.set(70);
    telemetry.recovery_seconds.set(0.5);
    telemetry.journal_sync_seconds.observe(0.003);
    telemetry.puts.with_label_values(&["accepted"]).inc();
    telemetry.request("PutRecords", 200, Duration::from_millis(4));
    telemetry.request("Unknown", 65_000, Duration::ZERO);
    let text = telemetry.render();
    for line in [
        "thalweg_journal_syncs_total 3",
        "thalweg_disk_free_bytes 70",
        "thalweg_journal_recovery_seconds 0.5",
        "thalweg_journal_sync_seconds_bucket{le=\"0.005\"} 1",
        "thalweg_journal_sync_seconds_bucket{le=\"0.002\"} 0",
        "thalweg_shard_puts_total{outcome=\"accepted\"} 1",
        "thalweg_api_requests_total{operation=\"PutRecords\",status=\"200\"} 1",
        "thalweg_api_request_seconds_count{operation=\"Unknown\",status=\"999\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "no line `{line}` in\n{text}");
    }
    assert!(Telemetry::new().render().contains("thalweg_journal_syncs_total 0"), "another node begins at zero");
}

#[test]
fn the_reference_is_up_to_date() {
    let stored = include_str!("../../../docs/reference/metrics.md");
    assert!(
        stored == reference(),
        "write it anew: cargo run -q -p telemetry --example reference > docs/reference/metrics.md"
    );
}
