//! The manifests of the workspace and its crates, as far as the rules need them.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::tidy::tree::Tree;

/// One crate of `crates/`.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// Relative to the root.
    pub(crate) path: String,
    /// The crate's folder in `crates/`.
    pub(crate) folder: String,
    /// The package name; the folder's name where the manifest has none.
    pub(crate) name: String,
    /// Package names of all dependencies: normal, development and build, for any target.
    pub(crate) dependencies: BTreeSet<String>,
    /// Whether `[lints] workspace = true`.
    pub(crate) workspace_lints: bool,
}

/// All crates, sorted by path.
#[derive(Debug)]
pub(crate) struct Manifests {
    pub(crate) crates: Vec<Manifest>,
}

impl Manifests {
    /// # Errors
    /// A manifest isn't TOML.
    pub(crate) fn parse(tree: &Tree) -> Result<Self, Error> {
        let root = tree.text("Cargo.toml").map(|text| table("Cargo.toml", text)).transpose()?.unwrap_or_default();
        let shared = root.get("workspace").and_then(|workspace| workspace.get("dependencies")?.as_table());
        let mut crates = Vec::new();
        for (path, text) in tree.texts_ending("/Cargo.toml") {
            if let Some(folder) = crate_folder(path) {
                crates.push(manifest(path, folder, &table(path, text)?, shared));
            }
        }
        Ok(Self { crates })
    }

    /// Whether `name` is a crate of this workspace.
    pub(crate) fn is_ours(&self, name: &str) -> bool {
        self.crates.iter().any(|manifest| manifest.name == name)
    }
}

/// Parses `text`, naming `path` in the error.
///
/// # Errors
/// It isn't TOML.
pub(crate) fn table(path: &str, text: &str) -> Result<toml::Table, Error> {
    text.parse().map_err(|source| Error::Toml { path: path.to_owned(), source: Box::new(source) })
}

fn crate_folder(path: &str) -> Option<&str> {
    let folder = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
    (!folder.contains('/')).then_some(folder)
}

fn manifest(path: &str, folder: &str, manifest: &toml::Table, shared: Option<&toml::Table>) -> Manifest {
    let name = manifest.get("package").and_then(|package| package.get("name")?.as_str()).unwrap_or(folder);
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
    let mut dependencies = BTreeSet::new();
    add_dependencies(manifest, shared, &mut dependencies);
    for target in manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values) {
        if let Some(target) = target.as_table() {
            add_dependencies(target, shared, &mut dependencies);
        }
    }
    Manifest {
        path: path.to_owned(),
        folder: folder.to_owned(),
        name: name.to_owned(),
        dependencies,
        workspace_lints: lints == Some(true),
    }
}

fn add_dependencies(section: &toml::Table, shared: Option<&toml::Table>, found: &mut BTreeSet<String>) {
    // Cargo accepts the spellings with an underscore too.
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"];
    for kind in kinds {
        for (key, value) in section.get(kind).and_then(toml::Value::as_table).into_iter().flatten() {
            found.insert(package(key, value, shared).to_owned());
        }
    }
}

/// The package behind a dependency's key, which may be renamed here or in the workspace's table.
fn package<'a>(key: &'a str, value: &'a toml::Value, shared: Option<&'a toml::Table>) -> &'a str {
    let inherited = value.get("workspace").is_some_and(|workspace| workspace.as_bool() == Some(true));
    let value = if inherited { shared.and_then(|shared| shared.get(key)).unwrap_or(value) } else { value };
    value.get("package").and_then(toml::Value::as_str).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependencies(root: &str, manifest: &str) -> Vec<String> {
        let tree = Tree::of(&[("Cargo.toml", root), ("crates/a/Cargo.toml", manifest)]);
        Manifests::parse(&tree).unwrap().crates.remove(0).dependencies.into_iter().collect()
    }

    #[test]
    fn every_kind_of_dependency_is_seen() {
        let manifest = "[dependencies]\na = \"1\"\n[dev-dependencies]\nb = { path = \"../b\" }\n[build-dependencies]\nc = \"1\"\n\
                        [target.'cfg(unix)'.dependencies]\nd.workspace = true\n[target.'cfg(unix)'.dev-dependencies]\ne = \"1\"\n";
        assert_eq!(dependencies("", manifest), ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn a_renamed_dependency_is_seen_by_its_package() {
        let root = "[workspace.dependencies]\nraft = { package = \"openraft\", version = \"1\" }\n";
        let manifest = "[dependencies]\nraft.workspace = true\nsim = { package = \"turmoil\", version = \"1\" }\n";
        assert_eq!(dependencies(root, manifest), ["openraft", "turmoil"]);
    }

    #[test]
    fn a_manifest_that_is_not_toml_is_named() {
        let tree = Tree::of(&[("crates/a/Cargo.toml", "[package")]);
        let error = Manifests::parse(&tree).unwrap_err().to_string();
        assert!(error.starts_with("crates/a/Cargo.toml is not valid TOML"), "{error}");
    }
}
