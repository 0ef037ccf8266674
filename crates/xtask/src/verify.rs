//! `cargo xtask verify`: what must hold before a change is committed. It writes nothing to the tree.

use std::path::Path;

use crate::command::{cargo, run as run_command};
use crate::error::Error;
use crate::steps::Steps;
use crate::tidy;

/// # Errors
/// Any of the checks failed; all of them have run.
pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let mut steps = Steps::new();
    steps.run("tidy", &[], || tidy::run(root));
    steps.run("format", &[], || run_command(cargo(root).args(["fmt", "--all", "--check"])));
    steps.run("clippy", &[], || run_command(cargo(root).args(CLIPPY)));
    steps.finish()
}

/// `--locked`: a lock file that is out of date is a failure here, not something to mend silently.
const CLIPPY: [&str; 7] = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
