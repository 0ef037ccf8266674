//! From a file and the environment to a configuration.

use std::path::Path;

use toml::{Table, Value};

use super::key::{Key, NotAllowed};
use super::keys::KEYS;
use super::{Config, ConfigError};

const PREFIX: &str = "THALWEG_";

/// A configuration and what was strange about its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// `THALWEG_…` variables that are no key's. Not an error, since others set some: Kubernetes does for a service of this name.
    pub unknown_variables: Vec<String>,
}

/// The defaults, overridden by `file` (its path and text) if there is one, overridden by `variables`.
///
/// # Errors
/// [`ConfigError`], which names the key or variable, its value and what is allowed.
pub fn load(
    file: Option<(&Path, &str)>,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let mut config = Config::default();
    if let Some((path, text)) = file {
        let table = text.parse::<Table>().map_err(|error| ConfigError::NotToml {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        apply_table(&mut config, "", &table)?;
    }
    let unknown_variables = apply_variables(&mut config, variables)?;
    check_together(&config)?;
    Ok(Loaded { config, unknown_variables })
}

fn apply_table(config: &mut Config, prefix: &str, table: &Table) -> Result<(), ConfigError> {
    for (name, value) in table {
        let name = format!("{prefix}{name}");
        match (KEYS.iter().find(|key| key.name == name), value) {
            (Some(key), value) => apply_value(config, key, value)?,
            (None, Value::Table(inner)) if is_section(&name) => apply_table(config, &format!("{name}."), inner)?,
            (None, _) => return Err(ConfigError::UnknownKey { hint: nearest(&name), key: name }),
        }
    }
    Ok(())
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

fn apply_value(config: &mut Config, key: &Key, value: &Value) -> Result<(), ConfigError> {
    let set = match value {
        Value::Integer(number) if key.is_number() => key.set(config, &number.to_string()),
        Value::String(text) if !key.is_number() => key.set(config, text),
        _ => Err(NotAllowed),
    };
    set.map_err(|NotAllowed| refuse(key.name.to_owned(), value.to_string(), key))
}

fn apply_variables(
    config: &mut Config,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Vec<String>, ConfigError> {
    let mut unknown = Vec::new();
    for (name, text) in variables.filter(|(name, _)| name.starts_with(PREFIX)) {
        match KEYS.iter().find(|key| key.variable() == name) {
            Some(key) => {
                key.set(config, &text).map_err(|NotAllowed| refuse(name, format!("\"{text}\""), key))?;
            }
            None => unknown.push(name),
        }
    }
    unknown.sort_unstable();
    Ok(unknown)
}

fn refuse(source_name: String, value: String, key: &Key) -> ConfigError {
    ConfigError::Value { source_name, value, allowed: key.allowed() }
}

/// Bounds between keys.
fn check_together(config: &Config) -> Result<(), ConfigError> {
    let (http, journal) = (&config.http, &config.journal);
    if http.memory_bytes_max < 2 * http.body_bytes_max {
        return Err(ConfigError::Conflict(format!(
            "http.memory_bytes_max is {}, allowed is at least twice http.body_bytes_max, which is {}",
            http.memory_bytes_max, http.body_bytes_max
        )));
    }
    if journal.flush_bytes > journal.tail_bytes_max {
        return Err(ConfigError::Conflict(format!(
            "journal.flush_bytes is {}, allowed is at most journal.tail_bytes_max, which is {}",
            journal.flush_bytes, journal.tail_bytes_max
        )));
    }
    if let Some(tls) = &config.peer_tls {
        let files = [("ca_file", &tls.ca_file), ("cert_file", &tls.cert_file), ("key_file", &tls.key_file)];
        if let Some((missing, _)) = files.iter().find(|(_, file)| file.as_os_str().is_empty()) {
            return Err(ConfigError::Conflict(format!(
                "peer_tls.{missing} is missing: [peer_tls] needs ca_file, cert_file and key_file, or none of them; \
                 `thalweg cluster certs` makes all three"
            )));
        }
    }
    if config.api_addr == config.admin_addr && config.api_addr.port() != 0 {
        return Err(ConfigError::Conflict(format!(
            "api_addr and admin_addr are both {}, each needs an address of its own",
            config.api_addr
        )));
    }
    Ok(())
}

/// The key that differs least from `name`, if one is close.
fn nearest(name: &str) -> Option<&'static str> {
    let close = |key: &&Key| distance(key.name, name) <= 3 || key.name.rsplit('.').next() == Some(name);
    KEYS.iter().filter(close).min_by_key(|key| distance(key.name, name)).map(|key| key.name)
}

/// Levenshtein's distance in bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, left_byte) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right_byte) in right.bytes().enumerate() {
            let substituted = diagonal + usize::from(left_byte != right_byte);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LimitsMode;

    fn file(text: &str) -> Result<Loaded, ConfigError> {
        load(Some((Path::new("thalweg.toml"), text)), std::iter::empty())
    }

    fn variables(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
        load(None, pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
    }

    #[test]
    fn every_default_is_allowed_by_its_own_key() {
        for key in KEYS {
            assert_eq!(key.set(&mut Config::blank(), key.default), Ok(()), "{}", key.name);
            assert_eq!(variables(&[(&key.variable(), key.default)]).unwrap().config, Config::default(), "{}", key.name);
        }
        assert_eq!(file("").unwrap().config, Config::default());
    }

    #[test]
    fn every_key_sets_something_of_its_own() {
        let changed = |key: &Key| {
            let mut config = Config::blank();
            // Keys that are empty by default set nothing until they are given.
            let given = if key.default.is_empty() { &["given", "127.0.0.1:1"][..] } else { &[key.default][..] };
            assert!(given.iter().any(|text| key.set(&mut config, text).is_ok()), "{}", key.name);
            config
        };
        for key in KEYS.iter().filter(|key| !["aws", "human"].contains(&key.default)) {
            assert_ne!(changed(key), Config::blank(), "{}", key.name);
        }
    }

    #[test]
    fn the_environment_overrides_the_file_and_the_file_the_defaults() {
        let text = "region = \"eu-west-1\"\nlimits = \"off\"\n[http]\nstreams_max = 7\n";
        let loaded = load(
            Some((Path::new("thalweg.toml"), text)),
            [("THALWEG_HTTP_STREAMS_MAX".to_owned(), "9".to_owned()), ("PATH".to_owned(), "/bin".to_owned())]
                .into_iter(),
        )
        .unwrap();
        assert_eq!(loaded.config.region, "eu-west-1");
        assert_eq!(loaded.config.limits, LimitsMode::Off);
        assert_eq!(loaded.config.http.streams_max, 9);
        assert_eq!(loaded.config.http.connections_max, Config::default().http.connections_max);
        assert!(loaded.unknown_variables.is_empty());
    }

    #[test]
    fn a_wrong_value_is_refused_with_key_value_and_what_is_allowed() {
        let message = |text: &str| file(text).unwrap_err().to_string();
        assert_eq!(
            message("[http]\nstreams_max = 0"),
            "http.streams_max is 0, allowed is a whole number from 1 to 10000 requests"
        );
        assert_eq!(
            message("[http]\nstreams_max = \"9\""),
            "http.streams_max is \"9\", allowed is a whole number from 1 to 10000 requests"
        );
        assert_eq!(message("limits = \"on\""), "limits is \"on\", allowed is aws or off");
        assert_eq!(message("account = 12"), "account is 12, allowed is twelve digits");
        assert!(message("api_addr = \"localhost\"").contains("an IP address and a port"));
        assert_eq!(message("node_id = -1"), "node_id is -1, allowed is a whole number from 1 to 4294967295");
        assert_eq!(
            variables(&[("THALWEG_LIMITS", "no")]).unwrap_err().to_string(),
            "THALWEG_LIMITS is \"no\", allowed is aws or off"
        );
    }

    #[test]
    fn unknown_keys_are_refused_with_a_hint_and_unknown_variables_reported() {
        let message = |text: &str| file(text).unwrap_err().to_string();
        assert!(message("data_dri = \"x\"").contains("no key `data_dri`, did you mean `data_dir`?"));
        assert!(message("streams_max = 1").contains("did you mean `http.streams_max`?"));
        assert!(message("[https]\nstreams_max = 1").contains("no key `https`"));
        assert!(message("[http.streams_max]\nx = 1").contains("http.streams_max is "));
        assert!(message("http = 3").contains("no key `http`"));
        let loaded = variables(&[("THALWEG_SERVICE_HOST", "10.0.0.1")]).unwrap();
        assert_eq!(loaded.unknown_variables, ["THALWEG_SERVICE_HOST"]);
    }

    #[test]
    fn a_file_that_is_not_toml_says_where() {
        let message = file("region = ").unwrap_err().to_string();
        assert!(message.starts_with("thalweg.toml is not TOML: ") && message.contains("line 1"), "{message}");
    }

    #[test]
    fn values_that_contradict_each_other_are_refused() {
        let message = |text: &str| file(text).unwrap_err().to_string();
        assert!(message("[http]\nmemory_bytes_max = 16777216").contains("at least twice http.body_bytes_max"));
        assert!(message("[journal]\ntail_bytes_max = 16777216").contains("journal.flush_bytes is 67108864"));
        assert!(message("[peer_tls]\nca_file = \"a\"\nkey_file = \"b\"").contains("peer_tls.cert_file is missing"));
        assert!(file("[peer_tls]\nca_file = \"a\"\ncert_file = \"b\"\nkey_file = \"c\"").is_ok());
        assert!(message("api_addr = \"127.0.0.1:1\"\nadmin_addr = \"127.0.0.1:1\"").contains("both 127.0.0.1:1"));
    }
}
