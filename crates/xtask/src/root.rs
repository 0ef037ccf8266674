//! Where the repository is.

use std::path::PathBuf;

use crate::error::Error;

/// The folder of the workspace's `Cargo.toml`, two above this crate's.
///
/// # Errors
/// The folder this program was built from is gone.
pub(crate) fn repository_root() -> Result<PathBuf, Error> {
    // Cargo sets the variable for `cargo xtask` at run time; the built-in value serves a direct call of the program.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = manifest.join("../..");
    root.canonicalize().map_err(|source| Error::Io { path: root, source })
}
