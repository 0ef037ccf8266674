//! Rule: no unfinished or silenced code.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// What must not be in a Rust file, comments included. Split, so that this file keeps the rule too.
const FORBIDDEN: [&str; 4] =
    [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore"), concat!("db", "g!(")];

/// Every line of a Rust file with a forbidden word.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts_ending(".rs") {
        for (number, line) in text.lines().enumerate() {
            for word in FORBIDDEN.iter().filter(|word| line.contains(**word)) {
                findings.push(Finding::error(
                    "words",
                    format!("{path}:{}", number + 1),
                    format!("`{word}` is not finished work"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forbidden_word_is_found_with_its_line() {
        for word in FORBIDDEN {
            let findings = check(&Tree::of(&[("crates/a/src/lib.rs", &format!("fn f() {{\n    {word}\n}}\n"))]));
            assert_eq!(findings.len(), 1, "{word}");
            assert_eq!(findings[0].place, "crates/a/src/lib.rs:2");
        }
    }

    #[test]
    fn other_files_and_other_words_are_left_alone() {
        let tree = Tree::of(&[("notes.md", FORBIDDEN[0]), ("crates/a/src/lib.rs", "fn ignored(todos: u8) {}\n")]);
        assert_eq!(check(&tree), []);
    }
}
