//! `thalweg config`

use std::process::ExitCode;

use crate::Outcome;

pub(crate) fn run() -> Outcome {
    print!("{}", server::reference());
    Ok(ExitCode::SUCCESS)
}
