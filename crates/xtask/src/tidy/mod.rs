//! `cargo xtask tidy`: the project's habits that no compiler checks. One rule per file.
//!
//! Each rule is a pure function from the [`Tree`] to its findings, so that its tests can show it a tree that breaks it.

mod documents;
mod finding;
mod heavy;
mod layers;
mod lints;
mod machine_paths;
mod manifests;
mod owners;
mod sizes;
mod tree;
mod words;

use std::path::Path;

use crate::args::verb_names;
use crate::error::Error;
use crate::tidy::finding::{Finding, Level};
use crate::tidy::manifests::Manifests;
use crate::tidy::tree::Tree;

/// Checks every rule and prints what it finds.
///
/// # Errors
/// A rule is broken, or the tree can't be read.
pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let findings = check(&Tree::load(root)?)?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    let count = findings.iter().filter(|finding| finding.level == Level::Error).count();
    if count == 0 { Ok(()) } else { Err(Error::Tidy { count }) }
}

fn check(tree: &Tree) -> Result<Vec<Finding>, Error> {
    let manifests = Manifests::parse(tree)?;
    let mut findings = layers::check(&manifests);
    findings.extend(owners::check(&manifests));
    findings.extend(lints::check(&manifests));
    findings.extend(heavy::check(tree)?);
    findings.extend(sizes::check(tree, &manifests));
    findings.extend(words::check(tree));
    findings.extend(machine_paths::check(tree));
    findings.extend(documents::check(tree, &verb_names()));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "//! A crate.\n/// One.\npub fn one() -> u8 {\n    1\n}\n/// Two.\npub fn two() -> u8 {\n    one() + one()\n}\n";

    fn healthy() -> Vec<(&'static str, &'static str)> {
        vec![
            ("Cargo.lock", "[[package]]\nname = \"bytes\"\nversion = \"1.0.0\"\n"),
            ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
            ("README.md", "Run `cargo xtask test`.\n"),
            ("crates/types/Cargo.toml", "[package]\nname = \"types\"\n[lints]\nworkspace = true\n"),
            ("crates/types/src/lib.rs", LIB),
            ("docs/ARCHITECTURE.md", "See `crates/types/src/lib.rs`.\n"),
        ]
    }

    #[test]
    fn a_healthy_tree_has_no_findings() {
        assert_eq!(check(&Tree::of(&healthy())).unwrap(), []);
    }

    #[test]
    fn every_rule_is_asked() {
        let breaks: [(&str, &str); 8] = [
            ("crates/unknown/Cargo.toml", "[package]\nname = \"unknown\"\n[lints]\nworkspace = true\n"),
            (
                "crates/types/Cargo.toml",
                "[package]\nname = \"types\"\n[lints]\nworkspace = true\n[dependencies]\nturmoil = \"1\"\n",
            ),
            ("crates/types/Cargo.toml", "[package]\nname = \"types\"\n"),
            ("Cargo.lock", "[[package]]\nname = \"datafusion\"\nversion = \"1.0.0\"\n"),
            ("crates/types/src/lib.rs", "//! Nothing.\n"),
            ("crates/types/src/more.rs", concat!("fn f() { to", "do!() }\n")),
            ("notes.md", concat!("In /ho", "me/someone.\n")),
            ("README.md", "Run `cargo xtask conquer`.\n"),
        ];
        for (path, text) in breaks {
            let mut files = healthy();
            files.retain(|(other, _)| *other != path);
            files.push((path, text));
            assert!(!check(&Tree::of(&files)).unwrap().is_empty(), "{path}: {text}");
        }
    }
}
