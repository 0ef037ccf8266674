//! The project's habits as code: `cargo xtask VERB`.
//!
//! `verify` never writes to the tree, `fix` does, `test` is what continuous integration runs.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a build tool: it talks to a terminal, runs programs and reads the real tree; nothing here is simulated"
)]

mod args;
mod chaos;
mod command;
mod error;
mod fix;
mod python;
mod root;
mod sim;
mod steps;
mod test;
mod tidy;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Verb};
use crate::error::Error;
use crate::root::repository_root;

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<(), Error> {
    let root = repository_root()?;
    match verb {
        Verb::Verify => verify::run(&root),
        Verb::Fix => fix::run(&root),
        Verb::Tidy => tidy::run(&root),
        Verb::Test(options) => test::run(&root, &options),
        Verb::Sim(options) => sim::run(&root, &options),
        Verb::Chaos(options) => test::run_chaos(&root, &options),
    }
}
