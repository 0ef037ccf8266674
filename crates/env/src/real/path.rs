use std::io;
use std::path::{Component, Path, PathBuf};

/// The path on the machine for a path relative to `root`; `""` is `root` itself.
pub(super) fn resolve(root: &Path, path: &str) -> io::Result<PathBuf> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{path} leads out of the data directory")));
    }
    Ok(root.join(path))
}
