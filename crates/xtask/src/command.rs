//! Running programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
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

/// Runs `command` with its output going to the terminal, and remembers the lines for which `keep` holds.
///
/// # Errors
/// It can't be started, or doesn't exit with 0: then with those lines, since other steps may print much after them.
pub(crate) fn run_and_keep(command: &mut Command, keep: impl Fn(&str) -> bool) -> Result<(), Error> {
    println!("+ {}", shown(command));
    let name = shown(command);
    let not_started = |source| Error::NotStarted { command: name.clone(), source };
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(not_started)?;
    let mut kept = Vec::new();
    let output = child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).split(b'\n'));
    for line in output.map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        println!("{line}");
        if keep(&line) {
            kept.push(line);
        }
    }
    let status = child.wait().map_err(not_started)?;
    if status.success() { Ok(()) } else { Err(Error::FailedWith { command: name, status, lines: kept }) }
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
    fn what_a_failing_program_said_of_interest_is_in_the_error() {
        let print = ["-c", "echo fine; echo FAILED one; echo more; echo FAILED two; exit 3"];
        let error = run_and_keep(program(Path::new("."), "sh").args(print), |line| line.starts_with("FAILED"));
        let message = error.unwrap_err().to_string();
        assert!(message.ends_with("\n  FAILED one\n  FAILED two"), "{message}");
    }

    #[test]
    fn a_program_that_is_missing_is_an_error_that_names_it() {
        let error = output(&mut program(Path::new("."), "no-such-program")).unwrap_err();
        assert!(error.to_string().starts_with("cannot run `no-such-program`"), "{error}");
    }
}
