//! `cargo xtask fix`: mends what can be mended without thought.

use std::path::Path;

use crate::command::{cargo, run as run_command};
use crate::error::Error;

/// # Errors
/// The tools can't be run, or the code doesn't compile.
pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let clippy = ["clippy", "--fix", "--allow-dirty", "--allow-staged", "--workspace", "--all-targets"];
    run_command(cargo(root).args(clippy))?;
    // Last, since a mended lint is rarely formatted.
    run_command(cargo(root).args(["fmt", "--all"]))
}
