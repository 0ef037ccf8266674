//! Rule: the documents name only what exists: files in the architecture page, verbs of `cargo xtask` everywhere.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

const RULE: &str = "documents";
const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
/// Folders of this repository: a word in backticks that begins with one of them is meant as a path.
const FOLDERS: [&str; 8] = ["crates/", "tests/", "docs/", "cluster/", "chaos/", "dashboards/", ".ci/", ".cargo/"];

/// Every path and every verb that doesn't exist.
pub(crate) fn check(tree: &Tree, verbs: &[String]) -> Vec<Finding> {
    let mut findings = paths(tree);
    for (path, text) in tree.texts_ending(".md").chain(tree.texts_ending(".ci/run")) {
        for (number, line) in text.lines().enumerate() {
            for verb in named_verbs(line).filter(|verb| !verbs.iter().any(|known| known == verb)) {
                let place = format!("{path}:{}", number + 1);
                findings.push(Finding::error(RULE, place, format!("`cargo xtask {verb}` does not exist")));
            }
        }
    }
    findings
}

fn paths(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(ARCHITECTURE) else {
        return vec![Finding::error(RULE, ARCHITECTURE, "is missing: it leads a newcomer to the code")];
    };
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for path in named_paths(line).filter(|path| !tree.exists(path)) {
            findings.push(Finding::error(
                RULE,
                format!("{ARCHITECTURE}:{}", number + 1),
                format!("`{path}` does not exist"),
            ));
        }
    }
    findings
}

/// Words in backticks that are paths of this repository. One with a placeholder, such as `*` or `<name>`, names no file.
fn named_paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)));
    paths
        .filter(|word| !word.contains(['*', '<', '{', ' ', '…']))
        .map(|word| word.split([':', '#']).next().unwrap_or(word))
}

/// The words that follow `cargo xtask`; an option, a placeholder in capitals or the end of a phrase is none.
fn named_verbs(line: &str) -> impl Iterator<Item = &str> {
    line.split("cargo xtask ").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '-')).unwrap_or(rest.len());
        let verb = &rest[..end];
        (!verb.is_empty() && !verb.starts_with('-')).then_some(verb)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(architecture: &str, readme: &str) -> Vec<String> {
        let files = [(ARCHITECTURE, architecture), ("README.md", readme), ("crates/types/src/lib.rs", "")];
        let verbs = ["test".to_owned(), "verify".to_owned()];
        check(&Tree::of(&files), &verbs).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn files_folders_and_lines_that_exist_are_fine() {
        let page = "`crates/types/src/lib.rs`, `crates/types/`, `crates/types`, `crates/types/src/lib.rs:7`, `crates/*/src`, `a/b`";
        assert_eq!(findings(page, ""), [""; 0]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_found() {
        assert_eq!(findings("see `crates/types/src/gone.rs`", ""), ["`crates/types/src/gone.rs` does not exist"]);
        assert_eq!(findings("see `crates/typ`", "").len(), 1);
    }

    #[test]
    fn a_verb_that_does_not_exist_is_found() {
        assert_eq!(findings("", "`cargo xtask test --quick`, `cargo xtask VERB`"), [""; 0]);
        assert_eq!(findings("", "`cargo xtask tset`"), ["`cargo xtask tset` does not exist"]);
    }

    #[test]
    fn a_missing_architecture_page_is_found() {
        assert_eq!(check(&Tree::of(&[]), &[]).len(), 1);
    }
}
