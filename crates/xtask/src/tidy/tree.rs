//! The files that are, or are about to be, committed.

use std::collections::BTreeMap;
use std::path::Path;

use crate::command::{output, program};
use crate::error::Error;

/// Text files by their path relative to the root, with `/` between folders. Files that aren't UTF-8 have no text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads what git tracks, and new files that it doesn't ignore, so that a mistake is found before it is committed.
    ///
    /// # Errors
    /// `root` isn't in a git repository, or a file can't be read.
    pub(crate) fn load(root: &Path) -> Result<Self, Error> {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let mut files = BTreeMap::new();
        for path in output(program(root, "git").args(list))?.split('\0').filter(|path| !path.is_empty()) {
            let file = root.join(path);
            // A file that was deleted but not committed so, and a link to a folder, have nothing to check.
            if !file.is_file() {
                continue;
            }
            let bytes = std::fs::read(&file).map_err(|source| Error::Io { path: file, source })?;
            files.insert(path.to_owned(), String::from_utf8(bytes).ok());
        }
        Ok(Self { files })
    }

    /// The text of `path`, if there is such a file and it is text.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// All text files, sorted by path.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// All text files whose name ends in `suffix`.
    pub(crate) fn texts_ending(&self, suffix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(move |(path, _)| path.ends_with(suffix))
    }

    /// Whether `path` is a file, or a folder with a file in it.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|(p, _)| p.starts_with(&folder))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_read_with_its_new_files_and_without_ignored_ones() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        crate::command::run(program(root, "git").args(["init", "--quiet"])).unwrap();
        std::fs::create_dir(root.join("docs")).unwrap();
        std::fs::write(root.join(".gitignore"), "ignored\n").unwrap();
        std::fs::write(root.join("ignored"), "x").unwrap();
        std::fs::write(root.join("docs/a page.md"), "text").unwrap();
        std::fs::write(root.join("picture"), [0xff, 0xfe]).unwrap();
        let tree = Tree::load(root).unwrap();
        let paths: Vec<&str> = tree.texts().map(|(path, _)| path).collect();
        assert_eq!(paths, [".gitignore", "docs/a page.md"]);
        assert!(tree.exists("picture") && tree.exists("docs/") && tree.exists("docs"));
        assert!(!tree.exists("ignored") && !tree.exists("doc"));
    }

    #[test]
    fn a_folder_outside_any_repository_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Tree::load(folder.path()).is_err());
    }
}
