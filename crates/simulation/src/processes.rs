//! Runs many seeds in processes of their own: what a run leaves behind in memory goes with its process, and a run that ends the process, as a
//! library's assertion may, is a failed seed like any other.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};

use serde_json::{Value, json};

use crate::{Outcome, States};

/// Seeds of one process: a few hundred megabytes are left behind by so many.
const SEEDS_PER_PROCESS: u64 = 50;

/// Which seeds, and how.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// The first one.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Processes at once, at least 1.
    pub jobs: u64,
}

/// Runs `seeds` and gives each outcome to `seen`, in the order in which they end. `worker` makes a command that runs so many seeds from a
/// first one on, and prints a [`begin_line`] before and an [`outcome_line`] after each.
pub fn run_seeds(seeds: Seeds, worker: impl Fn(u64, u64) -> Command + Sync, mut seen: impl FnMut(Outcome)) {
    let next = AtomicU64::new(seeds.first);
    let end = seeds.first.saturating_add(seeds.count);
    std::thread::scope(|scope| {
        let (sender, outcomes) = mpsc::channel();
        for _ in 0..seeds.jobs.max(1) {
            let (sender, next, worker) = (sender.clone(), &next, &worker);
            scope.spawn(move || {
                loop {
                    let first = next.fetch_add(SEEDS_PER_PROCESS, Ordering::Relaxed);
                    if first >= end {
                        return;
                    }
                    run_share(first, end.min(first + SEEDS_PER_PROCESS), worker, &sender);
                }
            });
        }
        drop(sender);
        outcomes.into_iter().for_each(&mut seen);
    });
}

/// Goes on behind a seed that has ended its process.
fn run_share(mut first: u64, end: u64, worker: &impl Fn(u64, u64) -> Command, outcomes: &Sender<Outcome>) {
    while first < end {
        let (last, reason) = run_process(worker(first, end - first), first, outcomes);
        if let Some(reason) = reason {
            let violations = vec![format!("its process has ended: {reason}")];
            // The receiver stays until all senders are gone.
            let _ = outcomes.send(Outcome::of_failure(last, violations));
        }
        first = last + 1;
    }
}

/// Returns the last seed that was begun, and why the process ended if it was in the middle of that.
fn run_process(mut command: Command, first: u64, outcomes: &Sender<Outcome>) -> (u64, Option<String>) {
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return (first, Some(error.to_string())),
    };
    let (mut last, mut open) = (first, true);
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()).map_while(Result::ok) {
        match serde_json::from_str::<Value>(&line) {
            Ok(value) => match value["begin"].as_u64() {
                Some(seed) => (last, open) = (seed, true),
                None => {
                    open = false;
                    let _ = outcomes.send(read_outcome(&value));
                }
            },
            Err(_) => return (last, Some(format!("it printed {line:?}"))),
        }
    }
    match child.wait() {
        Ok(status) if open || !status.success() => (last, Some(status.to_string())),
        Ok(_) => (last, None),
        Err(error) => (last, Some(error.to_string())),
    }
}

/// What a worker prints before a seed.
#[must_use]
pub fn begin_line(seed: u64) -> String {
    json!({ "begin": seed }).to_string()
}

/// What a worker prints after a seed.
#[must_use]
pub fn outcome_line(outcome: &Outcome) -> String {
    let Outcome { seed, violations, hash, events, acknowledged, crashes, states } = outcome;
    let states: Vec<&str> = states.reached().collect();
    json!({
        "seed": seed, "violations": violations, "hash": hash, "events": events, "acknowledged": acknowledged,
        "crashes": crashes, "states": states,
    })
    .to_string()
}

fn read_outcome(value: &Value) -> Outcome {
    let number = |name: &str| value[name].as_u64().unwrap_or_default();
    let texts =
        |name: &str| -> Vec<&str> { value[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect() };
    let mut states = States::default();
    texts("states").into_iter().for_each(|state| states.add_named(state));
    Outcome {
        seed: number("seed"),
        violations: texts("violations").into_iter().map(str::to_owned).collect(),
        hash: number("hash"),
        events: number("events"),
        acknowledged: number("acknowledged"),
        crashes: number("crashes"),
        states,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::states;

    #[test]
    fn an_outcome_comes_back_as_it_was() {
        let mut states = States::default();
        states.add(states::STREAM_DELETED);
        let violations = vec!["a \"quoted\" one".into()];
        let outcome = Outcome { seed: 7, violations, hash: u64::MAX, events: 3, acknowledged: 2, crashes: 1, states };
        let read = read_outcome(&serde_json::from_str(&outcome_line(&outcome)).unwrap());
        assert_eq!(format!("{read:?}"), format!("{outcome:?}"));
    }

    #[test]
    fn a_seed_that_ends_its_process_fails_and_the_others_run() {
        let worker = |first: u64, count: u64| {
            let script = format!(
                "for seed in $(seq {first} {}); do echo '{{\"begin\":'$seed'}}'; [ $seed = 103 ] && kill -9 $$; \
                 echo '{{\"seed\":'$seed'}}'; done",
                first + count - 1
            );
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        let mut seen = Vec::new();
        run_seeds(Seeds { first: 60, count: 100, jobs: 2 }, worker, |outcome| seen.push(outcome));
        seen.sort_by_key(|outcome| outcome.seed);
        assert_eq!(seen.iter().map(|outcome| outcome.seed).collect::<Vec<_>>(), (60..160).collect::<Vec<_>>());
        let failed: Vec<&Outcome> = seen.iter().filter(|outcome| !outcome.violations.is_empty()).collect();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].seed, 103);
        assert!(failed[0].violations[0].contains("signal: 9"), "{failed:?}");
    }
}
