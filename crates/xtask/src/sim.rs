//! `cargo xtask sim`: the simulation, with its options handed on.

use std::path::Path;

use crate::args::SimOptions;
use crate::command::{cargo, run as run_command};
use crate::error::Error;

/// # Errors
/// A seed failed; the simulation has printed it with the command that replays it.
pub(crate) fn run(root: &Path, options: &SimOptions) -> Result<(), Error> {
    run_command(
        cargo(root).args(["run", "--locked", "--package", "simulation", "--bin", "sim", "--"]).args(words(options)),
    )
}

fn words(options: &SimOptions) -> Vec<String> {
    let mut words = vec!["--seeds".to_owned(), options.seeds.to_string()];
    if let Some(seed) = options.seed {
        words.extend(["--seed".to_owned(), seed.to_string()]);
    }
    if options.trace {
        words.push("--trace".to_owned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_handed_on() {
        let all = SimOptions { seeds: 3, seed: Some(7), trace: true };
        assert_eq!(words(&all), ["--seeds", "3", "--seed", "7", "--trace"]);
        let few = SimOptions { seeds: 3, seed: None, trace: false };
        assert_eq!(words(&few), ["--seeds", "3"]);
    }
}
