//! Rule: some libraries have an owner, and no other crate names them.

use crate::tidy::finding::Finding;
use crate::tidy::manifests::Manifests;

struct Owned {
    /// The library, and those whose name begins with it and a hyphen.
    library: &'static str,
    owners: &'static [&'static str],
    reason: &'static str,
}

const OWNED: &[Owned] = &[
    Owned { library: "openraft", owners: &["raft-group"], reason: "an alpha version: one adapter knows its types" },
    Owned {
        library: "turmoil",
        owners: &["env", "simulation", "raft-group", "transport"],
        reason: "everything else runs on `env`, real or simulated; raft-group and transport have tests over its network",
    },
];

/// Every dependency on an owned library.
pub(crate) fn check(manifests: &Manifests) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in &manifests.crates {
        for dependency in &manifest.dependencies {
            let owned = OWNED.iter().find(|owned| belongs_to(dependency, owned.library));
            if let Some(owned) = owned.filter(|owned| !owned.owners.contains(&manifest.name.as_str())) {
                let message = format!("`{dependency}` is only for {}: {}", owned.owners.join(" and "), owned.reason);
                findings.push(Finding::error("owners", &manifest.path, message));
            }
        }
    }
    findings
}

fn belongs_to(dependency: &str, library: &str) -> bool {
    dependency.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::Tree;

    fn count(name: &str, dependency: &str) -> usize {
        let path = format!("crates/{name}/Cargo.toml");
        let text = format!("[package]\nname = \"{name}\"\n[dev-dependencies]\n{dependency}.workspace = true\n");
        check(&Manifests::parse(&Tree::of(&[(&path, &text)])).unwrap()).len()
    }

    #[test]
    fn the_owners_may_name_their_libraries() {
        assert_eq!(count("raft-group", "openraft"), 0);
        assert_eq!(count("raft-group", "openraft-rt"), 0);
        assert_eq!(count("env", "turmoil"), 0);
        assert_eq!(count("simulation", "turmoil"), 0);
        assert_eq!(count("router", "openrafty"), 0);
    }

    #[test]
    fn anyone_else_is_found() {
        assert_eq!(count("data-plane", "openraft"), 1);
        assert_eq!(count("simulation", "openraft-rt"), 1);
        assert_eq!(count("journal", "turmoil"), 1);
    }
}
