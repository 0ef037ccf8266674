//! Rule: nothing heavy in the lock file, not even through someone else's dependency.

use crate::error::Error;
use crate::tidy::finding::Finding;
use crate::tidy::manifests::table;
use crate::tidy::tree::Tree;

/// Libraries that would add minutes to a build of the core. Each entry is a prefix of the package's name.
const HEAVY: &[&str] = &["arrow", "datafusion", "parquet", "aws-sdk-", "aws-config"];

/// Every heavy package in `Cargo.lock`, and the lock file itself when it is missing.
///
/// # Errors
/// The lock file isn't TOML.
pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>, Error> {
    let path = "Cargo.lock";
    let Some(text) = tree.text(path) else {
        return Ok(vec![Finding::error("heavy", path, "is missing: commit it, builds must be repeatable")]);
    };
    let lock = table(path, text)?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let names = packages.filter_map(|package| package.get("name")?.as_str());
    let heavy = names.filter(|name| HEAVY.iter().any(|prefix| name.starts_with(prefix)));
    Ok(heavy.map(|name| Finding::error("heavy", path, format!("`{name}` is too heavy for the core"))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str) -> usize {
        let lock = format!("version = 4\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
        check(&Tree::of(&[("Cargo.lock", &lock)])).unwrap().len()
    }

    #[test]
    fn heavy_packages_are_found_and_others_are_not() {
        for heavy in ["arrow", "arrow-array", "datafusion-common", "aws-sdk-s3", "aws-config"] {
            assert_eq!(count(heavy), 1, "{heavy}");
        }
        for light in ["arrayvec", "aws-smithy-eventstream", "bytes"] {
            assert_eq!(count(light), 0, "{light}");
        }
    }

    #[test]
    fn a_missing_lock_file_is_found() {
        assert_eq!(check(&Tree::of(&[])).unwrap().len(), 1);
    }
}
