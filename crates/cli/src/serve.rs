//! Running a node until it is told to stop.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use server::{Config, Loaded, Server, StartError};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{Outcome, logging};

/// What there is to say when a node serves. Prints as the line that scripts wait for.
pub(crate) struct Ready {
    pub(crate) api_addr: SocketAddr,
    pub(crate) admin_addr: SocketAddr,
    pub(crate) region: String,
    data_dir: PathBuf,
    took: Duration,
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { api_addr, admin_addr, data_dir, took, .. } = self;
        let (dir, ms) = (data_dir.display(), took.as_millis());
        write!(f, "ready api=http://{api_addr} admin=http://{admin_addr} data={dir} in {ms} ms")
    }
}

/// Prints for whoever started the node. Nobody may read it any more, or its disk is full: no reason not to serve.
pub(crate) fn print(text: &impl fmt::Display) {
    if let Err(error) = writeln!(io::stdout(), "{text}") {
        tracing::warn!(%error, "cannot print to standard output");
    }
}

/// Starts a node, calls `announce` once it serves, and stops it on SIGTERM or SIGINT.
pub(crate) fn run(mut loaded: Loaded, announce: impl FnOnce(&Ready)) -> Outcome {
    logging::start(&loaded.config)?;
    if let Err(error) = env::real::refuse_huge_pages() {
        tracing::warn!(%error, "huge pages stay on, memory grows by up to two MiB per shard");
    }
    fit_connections(&mut loaded.config, open_handles());
    for variable in &loaded.unknown_variables {
        tracing::warn!(variable, "no key has this environment variable, it is ignored");
    }
    let ran = env::real::run(until_signal(loaded.config, announce)).map_err(|error| error.to_string())?;
    ran.map(|()| ExitCode::SUCCESS)
}

/// How many files and sockets this process may have open: as many as it is allowed to ask for.
fn open_handles() -> u64 {
    let limit = env::real::raise_handle_limit().unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files stays as it is");
        env::real::handle_limit()
    });
    tracing::info!(limit, "files and sockets that may be open");
    limit
}

/// Connections take half of the handles at most: the journal and the segments are never short of one for the sake of clients.
fn fit_connections(config: &mut Config, handles: u64) {
    let fitting = u32::try_from((handles / 2).max(1)).unwrap_or(u32::MAX);
    let asked = config.http.connections_max;
    if asked > fitting {
        config.http.connections_max = fitting;
        tracing::warn!(
            asked,
            taken = fitting,
            "fewer connections than http.connections_max fit: raise the limit of open files"
        );
    }
}

/// The signals by which a process is asked to end.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they no longer end the process by themselves.
    pub(crate) fn new() -> Result<Self, String> {
        let signals = |kind| signal(kind).map_err(|error| format!("cannot wait for signals: {error}"));
        Ok(Self { terminate: signals(SignalKind::terminate())?, interrupt: signals(SignalKind::interrupt())? })
    }

    /// The name of the next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

async fn until_signal(config: Config, announce: impl FnOnce(&Ready)) -> Result<(), String> {
    // Before the start, so that a signal during it is not lost.
    let mut signals = Signals::new()?;
    let env = env::real::env(config.data_dir.clone());
    let began = env.clock.monotonic();
    let server = tokio::select! {
        biased;
        started = Server::start(env.clone(), &config) => started.map_err(|error| explain(&config, &error))?,
        // A start may take as long as a cluster takes to let the node in. To leave it is no worse than a crash.
        _ = signals.next() => return Ok(()),
    };
    announce(&Ready {
        api_addr: server.api_addr(),
        admin_addr: server.admin_addr(),
        region: config.region.clone(),
        data_dir: config.data_dir.clone(),
        took: env.clock.monotonic() - began,
    });
    let name = signals.next().await;
    tracing::info!(signal = name, "stopping: requests in flight are finished first");
    server.shutdown().await;
    Ok(())
}

/// What failed, where, and what the user can do about it.
fn explain(config: &Config, error: &StartError) -> String {
    match error {
        StartError::Journal(_) | StartError::Control(_) | StartError::Identity(_) | StartError::Lost { .. } => {
            format!("cannot start with the data directory {}: {error}", config.data_dir.display())
        }
        StartError::Listen { .. } | StartError::Cluster(_) | StartError::Peers(_) | StartError::Tls(_) => {
            error.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_half_of_the_handles_to_the_data() {
        let fitted = |handles| {
            let mut config = Config::default();
            config.http.connections_max = 4096;
            fit_connections(&mut config, handles);
            config.http.connections_max
        };
        assert_eq!([fitted(1), fitted(1024), fitted(8192), fitted(u64::MAX)], [1, 512, 4096, 4096]);
    }
}
