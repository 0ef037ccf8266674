//! The reference of the configuration, made from the table of keys.

use std::fmt::Write;

use super::key::Key;
use super::keys::KEYS;

const HEAD: &str = "\
# Configuration

`thalweg server --config FILE` reads a TOML file; each key is also an environment variable, which overrides the file. `thalweg dev`
reads the variables, and its options override them. Every value is checked before anything starts. `thalweg config` prints this page.
";

/// The reference as Markdown: what `thalweg config` prints, and `docs/reference/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(HEAD);
    let mut section = "";
    for key in KEYS {
        let own = key.name.split_once('.').map_or("", |(section, _)| section);
        if own != section {
            // Writing to a string cannot fail, here and below.
            let _ = write!(page, "\n## [{own}]\n");
            section = own;
        }
        describe(&mut page, key);
    }
    page
}

fn describe(page: &mut String, key: &Key) {
    let quote = if key.is_number() { "" } else { "\"" };
    let short = key.name.rsplit('.').next().unwrap_or(key.name);
    let _ = write!(
        page,
        "\n### `{}`\n\n{}\n\n- default: `{short} = {quote}{}{quote}`{}\n- allowed: {}\n- variable: `{}`\n",
        key.name,
        key.meaning,
        key.default,
        binary_size(key),
        key.allowed(),
        key.variable(),
    );
}

/// The default in MiB, where that reads better.
fn binary_size(key: &Key) -> String {
    match (key.unit, key.default.parse::<u64>()) {
        ("bytes", Ok(bytes)) if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => format!(" ({} MiB)", bytes >> 20),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_the_table_of_this_build() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/configuration.md");
        #[allow(clippy::disallowed_methods, reason = "a test reads a page of the repository")]
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == reference(),
            "out of date: write what `thalweg config` prints to docs/reference/configuration.md"
        );
    }
}
