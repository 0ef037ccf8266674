//! `cargo xtask test`: every test of the project, in one go. Continuous integration runs this and nothing else.

use std::path::{Path, PathBuf};

use crate::args::{ChaosOptions, SimOptions, TestOptions};
use crate::command::{cargo, output, run as run_command, run_and_keep};
use crate::error::Error;
use crate::steps::Steps;
use crate::{chaos, python, sim};

const BUILD: &str = "build";
const PYTHON: &str = "python packages";
const END_TO_END: &str = "end to end";
const CHAOS_PROGRAMS: &str = "chaos programs";
const CHAOS: &str = "chaos";

/// # Errors
/// At least one step failed; the others have run where they could.
pub(crate) fn run(root: &Path, options: &TestOptions) -> Result<(), Error> {
    let mut steps = Steps::new();
    steps.run(BUILD, &[], || build(root));
    steps.run("rust", &[], || {
        let mut tests = cargo(root);
        tests.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
        run_and_keep(&mut tests, |line| line.starts_with("test ") && line.ends_with("FAILED"))
    });
    end_to_end(&mut steps, root, options);
    let seeds = SimOptions { seeds: options.seeds, seed: None, trace: false };
    steps.run("simulation", &[], || sim::run(root, &seeds));
    steps.run("planted bugs", &[], || run_command(cargo(root).args(PLANTED_BUGS)));
    steps.finish()
}

/// A run of the chaos harness, with everything that it needs.
///
/// # Errors
/// At least one step failed.
pub(crate) fn run_chaos(root: &Path, options: &ChaosOptions) -> Result<(), Error> {
    let mut steps = Steps::new();
    steps.run(BUILD, &[], || build(root));
    steps.run(PYTHON, &[], || python::prepare(root));
    steps.run(CHAOS_PROGRAMS, &[], || chaos::prepare(root));
    let ready = [BUILD, PYTHON, CHAOS_PROGRAMS];
    steps.run(CHAOS, &ready, || chaos::run(root, options, &thalweg(root)?, &target(root)?));
    steps.finish()
}

fn build(root: &Path) -> Result<(), Error> {
    run_command(cargo(root).args(["build", "--locked", "--package", "cli", "--bin", "thalweg"]))
}

/// The harness is proven by bugs that are compiled in here, and must be found.
const PLANTED_BUGS: [&str; 6] = ["test", "--locked", "--package", "simulation", "--features", "planted-bugs"];

fn end_to_end(steps: &mut Steps, root: &Path, options: &TestOptions) {
    if options.quick {
        steps.skip(PYTHON, "--quick");
        steps.skip(END_TO_END, "--quick");
        return;
    }
    steps.run(PYTHON, &[], || python::prepare(root));
    steps.run(END_TO_END, &[BUILD, PYTHON], || python::pytest(root, &thalweg(root)?));
}

/// The binary that the step `build` made.
fn thalweg(root: &Path) -> Result<PathBuf, Error> {
    Ok(target(root)?.join("debug").join(format!("thalweg{}", std::env::consts::EXE_SUFFIX)))
}

/// The folder of everything that is built.
fn target(root: &Path) -> Result<PathBuf, Error> {
    let command = "cargo metadata";
    let json = output(cargo(root).args(["metadata", "--locked", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&json)
        .map_err(|source| Error::Output { command: command.into(), reason: source.to_string() })?;
    let target = metadata["target_directory"]
        .as_str()
        .ok_or_else(|| Error::Output { command: command.into(), reason: "no target_directory".into() })?;
    Ok(target.into())
}
