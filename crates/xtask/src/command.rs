//! Running programs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::Error;

/// A program to run in the repository's root, without standard input.
pub(crate) fn program(root: &Path, name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root).stdin(Stdio::null());
    command
}

/// Cargo itself: the one that runs this program, so that the toolchain is the same.
pub(crate) fn cargo(root: &Path) -> Command {
    program(root, std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs `command` with its output going to the terminal.
///
/// # Errors
/// It can't be started or doesn't exit with 0.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    println!("+ {}", shown(command));
    let status = command.status().map_err(|source| Error::NotStarted { command: shown(command), source })?;
    if status.success() { Ok(()) } else { Err(Error::Failed { command: shown(command), status }) }
}

/// Runs `command` and returns what it prints to standard output; standard error goes to the terminal.
///
/// # Errors
/// It can't be started, doesn't exit with 0 or prints something that isn't UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::NotStarted { command: shown(command), source })?;
    if !output.status.success() {
        return Err(Error::Failed { command: shown(command), status: output.status });
    }
    String::from_utf8(output.stdout)
        .map_err(|source| Error::Output { command: shown(command), reason: source.to_string() })
}

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words = vec![name.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_an_error_that_names_it() {
        let error = run(program(Path::new("."), "false").arg("--for-a-test")).unwrap_err();
        assert!(error.to_string().starts_with("`false --for-a-test` failed"), "{error}");
    }

    #[test]
    fn a_program_that_is_missing_is_an_error_that_names_it() {
        let error = output(&mut program(Path::new("."), "no-such-program")).unwrap_err();
        assert!(error.to_string().starts_with("cannot run `no-such-program`"), "{error}");
    }
}
