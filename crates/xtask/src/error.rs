//! What can go wrong in a verb.

use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a verb failed. The message is for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot run `{command}`: {source}")]
    NotStarted { command: String, source: std::io::Error },
    #[error("`{command}` failed: {status}")]
    Failed { command: String, status: ExitStatus },
    #[error("`{command}` failed: {status}{}", indented(lines))]
    FailedWith { command: String, status: ExitStatus, lines: Vec<String> },
    #[error("`{command}` printed something unexpected: {reason}")]
    Output { command: String, reason: String },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path} is not valid TOML: {source}")]
    Toml { path: String, source: Box<toml::de::Error> },
    #[error("{count} habits broken, see above")]
    Tidy { count: usize },
    #[error("failed: {}", steps.join(", "))]
    Steps { steps: Vec<String> },
    #[error("{needed} or later is needed, `{program}` is {found}; set PYTHON to another one")]
    PythonTooOld { program: String, found: String, needed: &'static str },
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {line}")).collect()
}
