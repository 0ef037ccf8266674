//! The chaos run: a real cluster in network namespaces, as root.

use std::path::Path;

use crate::args::ChaosOptions;
use crate::command::{output, program, run as run_command};
use crate::error::Error;
use crate::python;

/// Programs that a run needs, with the package that has them on Debian and its children.
const PROGRAMS: [(&str, &str); 7] = [
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("strace", "strace"),
    ("cc", "gcc"),
    ("mkfs.ext4", "e2fsprogs"),
    ("losetup", "mount"),
    ("mount", "mount"),
];

/// Installs the programs that are missing.
///
/// # Errors
/// One is missing and can't be installed.
pub(crate) fn prepare(root: &Path) -> Result<(), Error> {
    let mut packages: Vec<&str> =
        PROGRAMS.iter().filter(|(name, _)| !exists(root, name)).map(|(_, package)| *package).collect();
    packages.dedup();
    if packages.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    run_command(as_root(root, "apt-get")?.args(["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    run_command(as_root(root, "apt-get")?.args(install).args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// A run of all faults against `thalweg`; its page and logs go to a folder of `target`.
///
/// # Errors
/// The machine can't make namespaces or loop devices, something was lost, or the cluster did not become well again.
pub(crate) fn run(root: &Path, options: &ChaosOptions, thalweg: &Path, target: &Path) -> Result<(), Error> {
    let interpreter = python::interpreter(root);
    let mut command = as_root(root, &interpreter.to_string_lossy())?;
    let (minutes, seed) = (options.minutes.to_string(), options.seed.to_string());
    command.args(["chaos/run.py", "--minutes", &minutes, "--seed", &seed, "--binary"]).arg(thalweg);
    run_command(command.arg("--out").arg(target.join("chaos").join(seed)))
}

fn exists(root: &Path, name: &str) -> bool {
    output(program(root, "sh").args(["-c", &format!("command -v {name} || true")]))
        .is_ok_and(|path| !path.trim().is_empty())
}

/// A program run by root: as we are, or through sudo where it asks for no password.
fn as_root(root: &Path, name: &str) -> Result<std::process::Command, Error> {
    if output(program(root, "id").arg("-u"))?.trim() == "0" {
        return Ok(program(root, name));
    }
    let mut command = program(root, "sudo");
    command.args(["--non-interactive", name]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_or_known_to_be_missing() {
        assert!(exists(Path::new("."), "sh"));
        assert!(!exists(Path::new("."), "no-such-program"));
    }
}
