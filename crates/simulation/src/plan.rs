//! What a seed decides: the server's sizes, the workload, the disk, and which faults happen when.

mod faults;

use std::time::Duration;

use env::sim::{FaultPlan, Latency};
use oracle::Rules;

use crate::dice::Dice;
pub(crate) use faults::{Cut, Fault, Scheduled};

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
    /// A node's disk rots: what it alone has may be refused, and must never be served wrong; what others have must be there again.
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

/// How many nodes there are.
#[derive(Clone, Debug)]
pub(crate) struct ClusterPlan {
    pub(crate) nodes: u64,
    /// The last ones come later, at this time.
    late: u64,
    late_at_ms: u64,
    /// Whether faults happen while it is being formed.
    impatient: bool,
}

impl ClusterPlan {
    /// By then all that are there from the beginning have joined, if no fault has come.
    pub(crate) const JOINED_MS: u64 = 2_200;

    /// When a node starts for the first time.
    pub(crate) fn joins_at_ms(&self, id: u64) -> u64 {
        if id + self.late > self.nodes { self.late_at_ms } else { 0 }
    }
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
    pub(crate) cluster: ClusterPlan,
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
        // Half of the runs have true clocks.
        let skewed = dice.percent(50);
        // A night is of many leaps, each with time to trim behind it.
        let length_ms = match scenario {
            Scenario::Nights => dice.between(12_000, 26_000),
            Scenario::Faults | Scenario::Rot => dice.between(6_000, 12_000),
        };
        let cluster = cluster(&mut Dice::new(seed, "cluster"), scenario, length_ms);
        // One node's clock may be wrong by 10 minutes in either direction; those of several must agree to 5 s, as documented.
        let skew_ms_max = match (skewed, cluster.nodes) {
            (false, _) => 0,
            (true, 1) => 600_000,
            (true, _) => 2_000,
        };
        let faults_until_ms = length_ms + if cluster.nodes > 1 { faults::CLUSTER_CALM_MS } else { 0 };
        let faults_until = Duration::from_millis(faults_until_ms);
        let (nodes, impatient) = (cluster.nodes, cluster.impatient);
        let schedule = faults::Schedule { scenario, nodes, impatient, skew_ms_max, until_ms: faults_until_ms };
        Plan {
            seed,
            scenario,
            cluster,
            server: server(&mut Dice::new(seed, "server sizes"), scenario),
            workload: workload(&mut Dice::new(seed, "workload plan"), scenario),
            disk: disk(&mut Dice::new(seed, "disk plan")),
            faults: schedule.draw(&mut Dice::new(seed, "faults")),
            faults_until,
            tick: Duration::from_millis(dice.pick(&[2, 5, 10])),
            message_latency_max: Duration::from_millis(dice.pick(&[2, 10, 40])),
            rules: Rules {
                retention_ms: 24 * HOUR_MS,
                // A leap is of at most half an hour, and each is followed by time to trim, unless the server is down. With several nodes
                // some leaps may pass until there is a leader again.
                grace_ms: if nodes == 1 { 2 } else { 5 } * HOUR_MS,
                // An arrival may be stamped by a clock that is slow and judged by one that is fast.
                clock_error_ms: 2 * skew_ms_max,
            },
            outlive_retention: scenario == Scenario::Nights && dice.percent(30),
        }
    }
}

fn cluster(dice: &mut Dice, scenario: Scenario, until_ms: u64) -> ClusterPlan {
    let nodes = match scenario {
        Scenario::Faults => dice.pick(&[1, 1, 3, 3, 5]),
        Scenario::Nights => dice.pick(&[1, 1, 1, 1, 3, 5]),
        Scenario::Rot => dice.pick(&[1, 1, 3]),
    };
    // Three found the cluster in any case; of five, up to two come later.
    let late = if nodes > 3 { dice.below(3) } else { 0 };
    ClusterPlan {
        nodes,
        late,
        late_at_ms: dice.between(0, until_ms / 2),
        impatient: dice.percent(20) && scenario != Scenario::Rot,
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

    #[test]
    fn clusters_of_each_size_come_up_and_three_nodes_are_there_from_the_beginning() {
        let mut sizes = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let plan = Plan::of(seed);
            sizes.insert(plan.cluster.nodes);
            let nodes = 1..=plan.cluster.nodes;
            let founders = nodes.clone().filter(|id| plan.cluster.joins_at_ms(*id) == 0).count() as u64;
            assert!(founders >= plan.cluster.nodes.min(3), "seed {seed}");
            assert!(plan.faults.iter().all(|scheduled| nodes.contains(&scheduled.node)), "seed {seed}");
        }
        assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [1, 3, 5]);
    }
}
