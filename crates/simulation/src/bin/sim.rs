//! `sim`: runs seeds of the simulation. `cargo xtask sim` calls it.
#![allow(clippy::print_stdout, reason = "a tool for the terminal")]

use std::path::Path;
use std::process::{Command, ExitCode};

use clap::Parser;
use simulation::{Outcome, Seeds, States, begin_line, outcome_line, run, run_caught, run_seeds};

/// A run of so many seeds fails when it never reaches one of the rare states.
const SEEDS_FOR_ALL_STATES: u64 = 200;

/// Runs the whole server in simulated worlds full of faults.
#[derive(Parser)]
struct Args {
    /// How many seeds to run
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Run this seed alone, twice, and compare
    #[arg(long)]
    seed: Option<u64>,
    /// Print everything that happens; with --seed
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Seeds run at once
    #[arg(long, default_value_t = 2)]
    jobs: u64,
    /// Run the seeds here, and say so to the process that has started this one
    #[arg(long, hide = true)]
    worker: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let good = match (args.seed, std::env::current_exe()) {
        (Some(seed), _) => one(seed, args.trace),
        _ if args.worker => work(args.first, args.seeds),
        (None, Ok(program)) => many(&program, Seeds { first: args.first, count: args.seeds, jobs: args.jobs }),
        (None, Err(error)) => {
            println!("it is unknown which program this is: {error}");
            false
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work(first: u64, count: u64) -> bool {
    for seed in (first..).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        println!("{}", begin_line(seed));
        println!("{}", outcome_line(&run_caught(seed)));
    }
    true
}

fn one(seed: u64, trace: bool) -> bool {
    let outcome = run(seed, trace);
    let again = run(seed, false);
    print(&outcome);
    println!("{}", outcome.states);
    let same = (outcome.hash, outcome.events) == (again.hash, again.events);
    if !same {
        println!("seed {seed}: a second run went another way: {:016x} and {:016x}", outcome.hash, again.hash);
    }
    same && outcome.violations.is_empty()
}

fn many(program: &Path, seeds: Seeds) -> bool {
    let (mut failed, mut done, mut acknowledged, mut crashes) = (Vec::new(), 0, 0, 0);
    let mut states = States::default();
    let worker = |first: u64, count: u64| {
        let mut command = Command::new(program);
        command.args(["--worker", "--first", &first.to_string(), "--seeds", &count.to_string()]);
        command
    };
    run_seeds(seeds, worker, |outcome| {
        done += 1;
        acknowledged += outcome.acknowledged;
        crashes += outcome.crashes;
        states.add_run(&outcome.states);
        if !outcome.violations.is_empty() {
            print(&outcome);
            failed.push(outcome.seed);
        }
        if done % 100 == 0 {
            println!("{done} of {} seeds, {} failed", seeds.count, failed.len());
        }
    });
    println!("{done} seeds, {acknowledged} records acknowledged, {crashes} crashes");
    println!("  seeds  that reached\n{states}");
    let missing = if done >= SEEDS_FOR_ALL_STATES { states.missing() } else { Vec::new() };
    if !missing.is_empty() {
        println!("never reached: {}", missing.join("; "));
    }
    failed.sort_unstable();
    if !failed.is_empty() {
        println!("failed seeds: {failed:?}");
    }
    failed.is_empty() && missing.is_empty()
}

fn print(outcome: &Outcome) {
    let Outcome { seed, events, hash, .. } = outcome;
    if outcome.violations.is_empty() {
        println!("seed {seed}: good, {events} events, hash {hash:016x}");
        return;
    }
    println!("seed {seed} FAILED:");
    for violation in outcome.violations.iter().take(10) {
        println!("  {violation}");
    }
    println!("  {} violations; replay: cargo xtask sim --seed {seed} --trace", outcome.violations.len());
}
