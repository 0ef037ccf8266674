//! Rule: every crate opts into the workspace's lints; Cargo doesn't do so by itself.

use crate::tidy::finding::Finding;
use crate::tidy::manifests::Manifests;

/// Every crate without `[lints] workspace = true`.
pub(crate) fn check(manifests: &Manifests) -> Vec<Finding> {
    let without = manifests.crates.iter().filter(|manifest| !manifest.workspace_lints);
    without.map(|manifest| Finding::error("lints", &manifest.path, "add `[lints]` with `workspace = true`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::Tree;

    fn count(lints: &str) -> usize {
        let text = format!("[package]\nname = \"types\"\n{lints}");
        check(&Manifests::parse(&Tree::of(&[("crates/types/Cargo.toml", &text)])).unwrap()).len()
    }

    #[test]
    fn a_crate_that_does_not_opt_in_is_found() {
        assert_eq!(count("[lints]\nworkspace = true\n"), 0);
        assert_eq!(count("[lints]\nworkspace = false\n"), 1);
        assert_eq!(count("[lints.rust]\nunsafe_code = \"deny\"\n"), 1);
        assert_eq!(count(""), 1);
    }
}
