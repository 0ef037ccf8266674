//! `thalweg cluster`: one file per verb.

mod certs;

use clap::Subcommand;

use crate::Outcome;

/// The command line of `thalweg cluster`.
#[derive(clap::Args)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    verb: ClusterCommand,
}

#[derive(Subcommand)]
enum ClusterCommand {
    /// Makes an authority, and a certificate for each node's calls to the others. What is there already stays as it is
    Certs(certs::CertsArgs),
}

pub(crate) fn run(args: ClusterArgs) -> Outcome {
    match args.verb {
        ClusterCommand::Certs(args) => certs::run(&args),
    }
}
