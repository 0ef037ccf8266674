//! Rule: no absolute path of one machine in what is committed.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// First folders of paths that exist only on someone's machine: homes and usual places of a checkout.
const FOLDERS: [&str; 4] = ["home", "root", "work", "Users"];

/// Every line that names such a path.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let needles: Vec<String> = FOLDERS.iter().map(|folder| format!("/{folder}/")).collect();
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| !path.ends_with(".lock")) {
        for (number, line) in text.lines().enumerate() {
            if let Some(needle) = needles.iter().find(|needle| has_absolute(line, needle)) {
                let place = format!("{path}:{}", number + 1);
                findings.push(Finding::error(
                    "machine paths",
                    place,
                    format!("`{needle}…` exists on one machine only"),
                ));
            }
        }
    }
    findings
}

/// Whether `needle` begins a path in `line`, rather than continuing a relative one or an address.
fn has_absolute(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.*}".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(line: &str) -> usize {
        check(&Tree::of(&[("docs/page.md", line)])).len()
    }

    #[test]
    fn absolute_paths_of_a_machine_are_found() {
        for folder in FOLDERS {
            for before in ["", " ", "\"", "=", "(", "file://"] {
                assert_eq!(count(&format!("{before}/{folder}/someone")), 1, "{before} {folder}");
            }
        }
    }

    #[test]
    fn relative_paths_addresses_and_usual_system_folders_are_left_alone() {
        for folder in FOLDERS {
            assert_eq!(count(&format!("crates/{folder}/src https://example.com/{folder}/x")), 0);
        }
        assert_eq!(count("/var/lib/thalweg /etc/thalweg.toml /tmp/x"), 0);
    }
}
