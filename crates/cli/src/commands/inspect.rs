//! `thalweg inspect`

use std::process::ExitCode;

use crate::Outcome;
use crate::args::InspectArgs;

/// The directory can be read and is damaged.
const DAMAGED: u8 = 2;

pub(crate) fn run(args: &InspectArgs) -> Outcome {
    let dir = args.dir.display();
    let disk = env::real::blocking_disk(args.dir.clone());
    let inspection = env::real::run(journal::inspect(disk)).map_err(|error| error.to_string())?;
    let inspection = inspection.map_err(|error| explain(&dir.to_string(), &error))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&inspection).map_err(|error| error.to_string())?);
    } else {
        println!("{inspection}");
    }
    Ok(if inspection.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(DAMAGED) })
}

fn explain(dir: &str, error: &journal::Error) -> String {
    match error {
        journal::Error::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("{dir} is no data directory: it has no FORMAT file")
        }
        error => format!("cannot inspect {dir}: {error}"),
    }
}
