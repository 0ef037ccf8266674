use std::path::PathBuf;

/// Why a configuration is refused. Nothing has been started.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The file is not TOML.
    #[error("{} is not TOML: {message}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// What is wrong where.
        message: String,
    },
    /// The file has a key that does not exist.
    #[error("the configuration has no key `{key}`{}; `thalweg config` prints them all", hint.map(|key| format!(", did you mean `{key}`?")).unwrap_or_default())]
    UnknownKey {
        /// The key.
        key: String,
        /// A key that looks like it.
        hint: Option<&'static str>,
    },
    /// A value is out of its bounds or of another type.
    #[error("{source_name} is {value}, allowed is {allowed}")]
    Value {
        /// The key, or the environment variable.
        source_name: String,
        /// The value, as it was written.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// Two values that are allowed alone and not together.
    #[error("{0}")]
    Conflict(String),
}
