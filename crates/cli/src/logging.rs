//! Log lines, to standard error.

use std::io::IsTerminal;

use server::{Config, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging as configured, for the rest of the process' life.
///
/// # Errors
/// A message for the user when the filter is none.
pub(crate) fn start(config: &Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| {
        format!("log is \"{}\", allowed is a filter, such as info,journal=debug: {error}", config.log)
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    // A line that can't be written, to a full disk or a reader that is gone, is lost: reporting it would panic and abort the node.
    let builder = builder.log_internal_errors(false);
    match config.log_format {
        LogFormat::Human => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
