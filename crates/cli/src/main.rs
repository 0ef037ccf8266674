//! `thalweg`: the one binary.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program speaks to its user")]

mod args;
mod bench;
mod commands;
mod logging;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// Frees of large buffers on other threads than made them are the rule here (bodies, frames), which it is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Dev(args) => commands::dev::run(args),
        Command::Server(args) => commands::server::run(args),
        Command::Config => commands::config::run(),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Bench(args) => bench::run(args),
        Command::Cluster(args) => commands::cluster::run(args),
    };
    result.unwrap_or_else(|message| {
        eprintln!("thalweg: {message}");
        ExitCode::FAILURE
    })
}

/// How a command ends: an exit code, or a message for the user and exit code 1.
type Outcome = Result<ExitCode, String>;
