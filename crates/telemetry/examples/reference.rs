//! Prints the page `docs/reference/metrics.md`.

#![allow(clippy::print_stdout, reason = "printing is its purpose")]

fn main() {
    print!("{}", telemetry::reference());
}
