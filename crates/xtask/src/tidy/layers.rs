//! Rule: a crate depends only on lower layers, and each crate has its layer.

use crate::tidy::finding::Finding;
use crate::tidy::manifests::{Manifest, Manifests};

const RULE: &str = "layers";

/// A crate's place in the house.
struct Place {
    name: &'static str,
    layer: u8,
    /// Crates of the same layer that it may import: the few edges that the layers alone don't allow.
    beside: &'static [&'static str],
}

const fn place(layer: u8, name: &'static str) -> Place {
    Place { name, layer, beside: &[] }
}

/// The house, from the ground up. `docs/ARCHITECTURE.md` says what lives where.
const HOUSE: &[Place] = &[
    place(0, "types"),
    place(1, "shard-state"),
    place(1, "catalog-state"),
    place(1, "wire"),
    place(1, "oracle"),
    place(2, "env"),
    place(2, "telemetry"),
    // Both do input and output through `env` and count it in `telemetry`; the engines above import them as one layer.
    Place { name: "journal", layer: 2, beside: &["env", "telemetry"] },
    Place { name: "transport", layer: 2, beside: &["env", "telemetry"] },
    place(3, "raft-group"),
    // Not each other: `router` joins them.
    place(4, "data-plane"),
    place(4, "control-plane"),
    place(5, "router"),
    place(6, "autoscaler"),
    place(7, "api"),
    place(8, "server"),
    place(9, "cli"),
    place(9, "simulation"),
    place(9, "xtask"),
];

/// Every crate of the workspace, and every edge between two of them.
pub(crate) fn check(manifests: &Manifests) -> Vec<Finding> {
    manifests.crates.iter().flat_map(|manifest| check_crate(manifests, manifest)).collect()
}

fn check_crate(manifests: &Manifests, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    if manifest.name != manifest.folder {
        let message = format!("the package is `{}`, the folder `{}`: let them agree", manifest.name, manifest.folder);
        findings.push(Finding::error(RULE, &manifest.path, message));
    }
    let Some(place) = find(&manifest.name) else {
        let message = format!("`{}` has no layer: give it one in crates/xtask/src/tidy/layers.rs", manifest.name);
        findings.push(Finding::error(RULE, &manifest.path, message));
        return findings;
    };
    for dependency in manifest.dependencies.iter().filter(|name| manifests.is_ours(name)) {
        // A dependency without a layer is found where its own manifest is checked.
        let Some(below) = find(dependency) else { continue };
        if below.layer >= place.layer && !place.beside.contains(&below.name) {
            let message = format!(
                "`{}` of layer {} may not import `{}` of layer {}",
                place.name, place.layer, below.name, below.layer
            );
            findings.push(Finding::error(RULE, &manifest.path, message));
        }
    }
    findings
}

fn find(name: &str) -> Option<&'static Place> {
    HOUSE.iter().find(|place| place.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::Tree;

    /// Findings of a workspace with all crates of the house, where `name` has `dependencies` in `section`.
    fn findings(name: &str, section: &str, dependencies: &[&str]) -> Vec<String> {
        let mut files: Vec<(String, String)> = HOUSE
            .iter()
            .map(|place| {
                (format!("crates/{}/Cargo.toml", place.name), format!("[package]\nname = \"{}\"\n", place.name))
            })
            .collect();
        let edges: String = dependencies.iter().map(|name| format!("{name}.workspace = true\n")).collect();
        files
            .push((format!("crates/{name}/Cargo.toml"), format!("[package]\nname = \"{name}\"\n[{section}]\n{edges}")));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        check(&Manifests::parse(&Tree::of(&files)).unwrap()).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn edges_downwards_and_to_other_peoples_crates_are_allowed() {
        assert!(findings("data-plane", "dependencies", &["raft-group", "journal", "types", "bytes"]).is_empty());
        assert!(findings("journal", "dependencies", &["env", "telemetry", "types"]).is_empty());
    }

    #[test]
    fn an_edge_upwards_is_found_in_every_kind_of_dependency() {
        for section in ["dependencies", "dev-dependencies", "build-dependencies", "target.'cfg(unix)'.dependencies"] {
            let expected = ["`types` of layer 0 may not import `router` of layer 5"];
            assert_eq!(findings("types", section, &["router"]), expected, "{section}");
        }
    }

    #[test]
    fn an_edge_within_a_layer_is_found() {
        assert_eq!(findings("data-plane", "dependencies", &["control-plane"]).len(), 1);
        assert_eq!(findings("control-plane", "dependencies", &["data-plane"]).len(), 1);
        assert_eq!(findings("env", "dependencies", &["telemetry"]).len(), 1);
        assert_eq!(findings("telemetry", "dependencies", &["env"]).len(), 1);
        assert_eq!(findings("journal", "dependencies", &["transport"]).len(), 1);
        assert_eq!(findings("xtask", "dependencies", &["simulation"]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_layer_is_found() {
        let found = findings("attic", "dependencies", &["types"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("`attic` has no layer"));
    }

    #[test]
    fn a_folder_of_another_name_than_its_package_is_found() {
        let tree = Tree::of(&[("crates/kinds/Cargo.toml", "[package]\nname = \"types\"\n")]);
        assert_eq!(check(&Manifests::parse(&tree).unwrap()).len(), 1);
    }
}
