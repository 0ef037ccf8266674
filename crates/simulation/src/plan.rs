//! What a seed decides: the server's sizes, the workload, the disk, and which faults happen when.

mod faults;

use std::time::Duration;

use env::sim::{FaultPlan, Latency};
use oracle::Rules;

use crate::dice::Dice;
pub(crate) use faults::{Fault, Scheduled};

/// Wall clock time at the beginning of a run: a second of 2023.
pub(crate) const BASE_UNIX_MS: u64 = 1_700_000_000_000;
/// Milliseconds of an hour.
pub(crate) const HOUR_MS: u64 = 3_600_000;
/// Space on the disk when it isn't full.
pub(crate) const ROOMY_BYTES: u64 = 64 << 20;

/// What a run is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Crashes and a failing disk: nothing may be lost.
    Faults,
    /// The same, with hours passing so that records reach the end of their retention.
    Nights,
    /// The disk rots: damaged data may be refused, and must never be served wrong.
    Rot,
}

/// Sizes of the server, small enough that a short run goes through all of its storage.
#[derive(Clone, Debug)]
pub(crate) struct ServerPlan {
    pub(crate) journal_file_bytes: u64,
    pub(crate) journal_files_max: u64,
    pub(crate) flush_bytes: u64,
    pub(crate) tail_bytes_max: u64,
    pub(crate) free_bytes_reserve: u64,
    pub(crate) limits_of_aws: bool,
}

/// What the clients do.
#[derive(Clone, Debug)]
pub(crate) struct WorkloadPlan {
    pub(crate) shards: u32,
    pub(crate) producers: u64,
    pub(crate) readers: u64,
    /// Longest pause of a producer between two puts.
    pub(crate) put_pause_ms_max: u64,
    pub(crate) batch_max: u64,
    pub(crate) record_bytes_max: u64,
    pub(crate) keys: u64,
    /// How often a put that failed is tried again.
    pub(crate) retry_percent: u64,
    /// Whether a second stream comes and goes.
    pub(crate) side_streams: bool,
    pub(crate) retention_changes: bool,
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) scenario: Scenario,
    pub(crate) server: ServerPlan,
    pub(crate) workload: WorkloadPlan,
    pub(crate) disk: FaultPlan,
    pub(crate) faults: Vec<Scheduled>,
    /// Virtual time until faults stop.
    pub(crate) faults_until: Duration,
    pub(crate) tick: Duration,
    pub(crate) message_latency_max: Duration,
    pub(crate) rules: Rules,
    /// Whether the run's end waits until everything has expired.
    pub(crate) outlive_retention: bool,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Plan {
        let mut dice = Dice::new(seed, "plan");
        let scenario = match dice.below(10) {
            0..5 => Scenario::Faults,
            5..8 => Scenario::Nights,
            _ => Scenario::Rot,
        };
        // Half of the runs have true clocks; in the others it is wrong by up to 10 minutes in either direction.
        let skew_ms_max = if dice.percent(50) { 0 } else { 600_000 };
        // A night is of many leaps, each with time to trim behind it.
        let faults_until_ms = match scenario {
            Scenario::Nights => dice.between(12_000, 26_000),
            Scenario::Faults | Scenario::Rot => dice.between(6_000, 12_000),
        };
        let faults_until = Duration::from_millis(faults_until_ms);
        let schedule = faults::Schedule { scenario, skew_ms_max, until_ms: faults_until.as_millis() as u64 };
        Plan {
            seed,
            scenario,
            server: server(&mut Dice::new(seed, "server sizes"), scenario),
            workload: workload(&mut Dice::new(seed, "workload plan"), scenario),
            disk: disk(&mut Dice::new(seed, "disk plan")),
            faults: schedule.draw(&mut Dice::new(seed, "faults")),
            faults_until,
            tick: Duration::from_millis(dice.pick(&[2, 5, 10])),
            message_latency_max: Duration::from_millis(dice.pick(&[2, 10, 40])),
            rules: Rules {
                retention_ms: 24 * HOUR_MS,
                // A leap is of at most half an hour, and each is followed by time to trim, unless the server is down.
                grace_ms: 2 * HOUR_MS,
                // An arrival may be stamped by a clock that is slow and judged by one that is fast.
                clock_error_ms: 2 * skew_ms_max,
            },
            outlive_retention: scenario == Scenario::Nights && dice.percent(30),
        }
    }
}

fn server(dice: &mut Dice, scenario: Scenario) -> ServerPlan {
    // On a disk that rots much stays in the journal, or its rotten blocks would be in segments already and never read again.
    let flush_bytes = match scenario {
        Scenario::Faults | Scenario::Nights => dice.pick(&[16, 32, 64, 128]) << 10,
        Scenario::Rot => dice.pick(&[96, 192]) << 10,
    };
    let journal_file_bytes = dice.pick(&[96, 128, 256]) << 10;
    ServerPlan {
        journal_file_bytes,
        journal_files_max: dice.between(4, 8),
        flush_bytes,
        tail_bytes_max: dice.pick(&[256, 384, 512]) << 10,
        free_bytes_reserve: 256 << 10,
        limits_of_aws: dice.percent(30),
    }
}

fn workload(dice: &mut Dice, scenario: Scenario) -> WorkloadPlan {
    WorkloadPlan {
        shards: dice.between(1, 4) as u32,
        producers: dice.between(1, 4),
        readers: dice.between(1, 3),
        put_pause_ms_max: if scenario == Scenario::Nights { dice.pick(&[100, 300]) } else { dice.pick(&[20, 60, 200]) },
        batch_max: dice.pick(&[3, 10, 25]),
        record_bytes_max: dice.pick(&[40, 400, 1_500]),
        keys: dice.pick(&[2, 10, 100]),
        retry_percent: dice.pick(&[0, 50, 90]),
        side_streams: scenario != Scenario::Rot && dice.percent(40),
        retention_changes: scenario == Scenario::Nights && dice.percent(50),
    }
}

fn disk(dice: &mut Dice) -> FaultPlan {
    let sync_ms = dice.pick(&[1, 8, 30, 60]);
    let call_us = dice.pick(&[0, 0, 900]);
    FaultPlan {
        capacity_bytes: ROOMY_BYTES,
        latency: Latency { min: Duration::ZERO, max: Duration::from_micros(call_us) },
        sync_latency: Latency { min: Duration::ZERO, max: Duration::from_millis(sync_ms) },
        ..FaultPlan::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_comes_up_and_a_seed_always_gives_the_same_plan() {
        let mut seen = Vec::new();
        for seed in 0..50 {
            let plan = Plan::of(seed);
            assert_eq!(format!("{plan:?}"), format!("{:?}", Plan::of(seed)));
            if !seen.contains(&plan.scenario) {
                seen.push(plan.scenario);
            }
            let ordered = plan.faults.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms);
            assert!(ordered, "seed {seed}: {:?}", plan.faults);
            assert!(plan.rules.clock_error_ms < HOUR_MS, "an hour's early trim must be told from a wrong clock");
        }
        assert_eq!(seen.len(), 3);
    }
}
