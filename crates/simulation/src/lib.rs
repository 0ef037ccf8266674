//! The whole server in a simulated world: one seed decides its sizes, what clients do, what the disk does to it and when the power
//! goes, and two runs of a seed are the same to the last byte. What clients saw is judged by the [`oracle`].
//!
//! A run's way: [`run`] draws the plan, puts the server ([`node`]) and the clients ([`workload`]) into two hosts of turmoil, and steps
//! through virtual time, while the [`driver`] lets faults happen; when they are over, [`finish`] demands that everything works again
//! and looks at every record. `docs/reference/simulation.md` tells what is simulated and how to replay a seed.

mod client;
mod dice;
mod driver;
mod finish;
mod logs;
mod node;
mod payload;
mod plan;
mod processes;
mod rot;
mod run;
mod runner;
mod states;
mod trace;
mod workload;
mod world;

pub use processes::{Seeds, begin_line, outcome_line, run_seeds};
pub use run::{Outcome, run};
pub use runner::run_caught;
#[cfg(feature = "planted-bugs")]
pub use runner::{has_several_nodes, run_planted};
pub use states::States;
