//! The command line of `cargo xtask`.

use clap::{Args as ClapArgs, CommandFactory, Parser, Subcommand};

/// Builds, checks and tests Thalweg.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check format, lints and habits; writes nothing to the tree
    Verify,
    /// Format and apply the lints' own suggestions
    Fix,
    /// Check the habits alone: layers, sizes, forbidden words, paths in documents
    Tidy,
    /// Run every test: Rust, unmodified AWS clients, simulation, planted bugs
    Test(TestOptions),
    /// Run the simulation
    Sim(SimOptions),
    /// Run real nodes in network namespaces under faults, as root
    Chaos(ChaosOptions),
}

/// Options of `test`.
#[derive(Debug, ClapArgs)]
pub(crate) struct TestOptions {
    /// Leave out the end-to-end tests in Python
    #[arg(long)]
    pub(crate) quick: bool,
    /// Simulation seeds to run
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
}

/// Options of `chaos`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ChaosOptions {
    /// How long faults happen. Two are about enough for each kind once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) minutes: u64,
    /// Decides which faults happen when
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Options of `sim`, handed on to the simulation as they are.
#[derive(Debug, ClapArgs)]
pub(crate) struct SimOptions {
    /// How many seeds to run
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// The first seed; with `--seeds 1` the only one
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Print the trace of every step
    #[arg(long)]
    pub(crate) trace: bool,
}

/// The names of all verbs, so that documents can be checked against them.
pub(crate) fn verb_names() -> Vec<String> {
    Args::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_verbs_are_those_that_documents_may_name() {
        assert_eq!(verb_names(), ["verify", "fix", "tidy", "test", "sim", "chaos"]);
    }
}
