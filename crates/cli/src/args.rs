//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::bench::BenchArgs;
use crate::commands::cluster::ClusterArgs;

/// The Amazon Kinesis that you run yourself.
#[derive(Parser)]
#[command(name = "thalweg", version, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs one node on this machine, or several as a cluster, with defaults that need no file.
    Dev(DevArgs),
    /// Runs a node as its configuration file says.
    Server(ServerArgs),
    /// Prints the reference of the configuration.
    Config,
    /// Reads a stopped node's data directory and verifies every checksum. Exit code 0: sound, 2: damaged.
    Inspect(InspectArgs),
    /// Loads a server over its public API, and checks that it has kept what it acknowledged.
    Bench(BenchArgs),
    /// Shows and changes a cluster: its nodes come, go, and are stopped without harm.
    Cluster(ClusterArgs),
}

#[derive(clap::Args)]
pub(crate) struct DevArgs {
    /// Where data stays and is found again [default: thalweg-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where the API listens [default: 127.0.0.1:4567]
    #[arg(long, value_name = "ADDR")]
    pub(crate) api_addr: Option<SocketAddr>,
    /// Where health, metrics and the cluster's state listen [default: 127.0.0.1:4568]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin_addr: Option<SocketAddr>,
    /// AWS' limits per shard, or none but the machine's [default: aws]
    #[arg(long, value_name = "MODE")]
    pub(crate) limits: Option<LimitsArg>,
    /// How log lines look [default: human]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormatArg>,
    /// Nodes, each a process with a folder in DIR and ports that follow those given [default DIR of several: thalweg-cluster]
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=NODES_MAX))]
    pub(crate) nodes: u8,
    /// Kill nodes at random and start them again, under load, and print what clients notice. Needs at least three nodes
    #[arg(long)]
    pub(crate) chaos: bool,
    /// Time from one kill to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "chaos")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) chaos_seconds: u64,
    /// Ends when standard input does: a node of `--nodes`, which must not outlive the process that started it
    #[arg(long, hide = true)]
    pub(crate) supervised: bool,
}

/// As many as a machine for development holds; a majority of nine is what it is for three, only slower.
const NODES_MAX: i64 = 9;

#[derive(clap::Args)]
pub(crate) struct ServerArgs {
    /// The configuration, TOML; `thalweg config` prints its keys
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// How log lines look [default: as configured]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormatArg>,
}

#[derive(clap::Args)]
pub(crate) struct InspectArgs {
    /// The data directory
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LimitsArg {
    Aws,
    Off,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LogFormatArg {
    Human,
    Json,
}

impl From<LimitsArg> for server::LimitsMode {
    fn from(arg: LimitsArg) -> Self {
        match arg {
            LimitsArg::Aws => Self::Aws,
            LimitsArg::Off => Self::Off,
        }
    }
}

impl From<LogFormatArg> for server::LogFormat {
    fn from(arg: LogFormatArg) -> Self {
        match arg {
            LogFormatArg::Human => Self::Human,
            LogFormatArg::Json => Self::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn dev_needs_no_options_and_takes_those_of_the_reference() {
        assert!(Args::try_parse_from(["thalweg", "dev"]).is_ok());
        let all = [
            "thalweg",
            "dev",
            "--data-dir",
            "d",
            "--api-addr",
            "[::1]:1",
            "--admin-addr",
            "127.0.0.1:0",
            "--limits",
            "off",
        ];
        assert!(Args::try_parse_from(all).is_ok());
        assert!(Args::try_parse_from(["thalweg", "dev", "--nodes", "3", "--chaos", "--chaos-seconds", "5"]).is_ok());
        assert!(Args::try_parse_from(["thalweg", "dev", "--nodes", "0"]).is_err());
        assert!(Args::try_parse_from(["thalweg", "dev", "--limits", "some"]).is_err());
        assert!(Args::try_parse_from(["thalweg", "server"]).is_err());
    }
}
