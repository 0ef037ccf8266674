//! Rule: no file too long to be read, and no crate without content.

use crate::tidy::finding::Finding;
use crate::tidy::manifests::{Manifest, Manifests};
use crate::tidy::tree::Tree;

/// Lines of a file from which it fails. A reader should hold a file in mind; ours are mostly 60 to 300 lines.
const LINES_MAX: usize = 1_000;
/// Lines of a file from which it is named, so that it is split before it has to be.
const LINES_WARN: usize = 800;
/// Lines of code below which a crate is only a promise.
const CRATE_LINES_MIN: usize = 5;
const SUFFIXES: [&str; 3] = [".rs", ".py", ".md"];

/// Every file that is too long and every crate that is empty.
pub(crate) fn check(tree: &Tree, manifests: &Manifests) -> Vec<Finding> {
    let files = tree.texts().filter(|(path, _)| SUFFIXES.iter().any(|suffix| path.ends_with(suffix)));
    let long = files.filter_map(|(path, text)| check_file(path, text.lines().count()));
    let empty = manifests.crates.iter().filter(|manifest| lines_of_code(tree, manifest) < CRATE_LINES_MIN);
    long.chain(empty.map(|manifest| Finding::error("sizes", &manifest.path, "the crate is empty"))).collect()
}

fn check_file(path: &str, lines: usize) -> Option<Finding> {
    let message = format!("{lines} lines: split it");
    if lines > LINES_MAX {
        Some(Finding::error("sizes", path, message))
    } else {
        (lines > LINES_WARN).then(|| Finding::warning("sizes", path, message))
    }
}

fn lines_of_code(tree: &Tree, manifest: &Manifest) -> usize {
    let folder = format!("crates/{}/src/", manifest.folder);
    let sources = tree.texts_ending(".rs").filter(|(path, _)| path.starts_with(&folder));
    sources.flat_map(|(_, text)| text.lines()).map(str::trim).filter(|line| is_code(line)).count()
}

fn is_code(line: &str) -> bool {
    !line.is_empty() && !line.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::Level;

    fn findings(path: &str, text: &str) -> Vec<Finding> {
        let tree = Tree::of(&[(path, text), ("crates/types/Cargo.toml", "[package]\nname = \"types\"\n")]);
        check(&tree, &Manifests::parse(&tree).unwrap())
    }

    fn level(path: &str, lines: usize) -> Option<Level> {
        findings(path, &"let x = 1;\n".repeat(lines)).first().map(|finding| finding.level)
    }

    #[test]
    fn long_files_are_named_and_longer_ones_fail() {
        let path = "crates/types/src/lib.rs";
        assert_eq!(level(path, LINES_WARN), None);
        assert_eq!(level(path, LINES_WARN + 1), Some(Level::Warning));
        assert_eq!(level(path, LINES_MAX), Some(Level::Warning));
        assert_eq!(level(path, LINES_MAX + 1), Some(Level::Error));
    }

    #[test]
    fn a_crate_of_comments_or_nothing_is_empty() {
        let path = "crates/types/src/lib.rs";
        assert_eq!(findings(path, &"// words\n\n".repeat(30)).len(), 1);
        assert_eq!(findings("crates/other/src/lib.rs", &"let x = 1;\n".repeat(30)).len(), 1);
        assert_eq!(findings(path, "fn main() {}\n").len(), 1);
    }
}
