//! A list of steps that all run, and one summary with the time of each at the end.

use std::time::{Duration, Instant};

use crate::error::Error;

/// What became of a step.
#[derive(Debug)]
enum Outcome {
    Passed,
    Failed(String),
    /// A step it needs did not pass.
    NotRun(&'static str),
    /// Left out because it was asked for; the reason is printed.
    Skipped(&'static str),
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Steps in the order in which they were run. A failure doesn't keep later ones from running, so that one run shows all of them.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Runs `action` as the step `name`, unless one of the steps in `needs` did not pass.
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        needs: &[&'static str],
        action: impl FnOnce() -> Result<(), Error>,
    ) {
        if let Some(missing) = needs.iter().find(|need| !self.passed(need)) {
            self.push(name, Outcome::NotRun(missing), Duration::ZERO);
            return;
        }
        println!("== {name}");
        let start = Instant::now();
        let outcome = match action() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                eprintln!("xtask: {name}: {error}");
                Outcome::Failed(error.to_string())
            }
        };
        self.push(name, outcome, start.elapsed());
    }

    /// Records that `name` was left out on purpose.
    pub(crate) fn skip(&mut self, name: &'static str, reason: &'static str) {
        self.push(name, Outcome::Skipped(reason), Duration::ZERO);
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// At least one step failed or could not be run.
    pub(crate) fn finish(self) -> Result<(), Error> {
        print!("{}", self.summary());
        let steps: Vec<String> =
            self.done.iter().filter(|step| step.is_bad()).map(|step| step.name.to_owned()).collect();
        if steps.is_empty() { Ok(()) } else { Err(Error::Steps { steps }) }
    }

    fn summary(&self) -> String {
        let mut text = String::from("== summary\n");
        for step in &self.done {
            let outcome = match &step.outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Failed(error) => format!("FAILED: {error}"),
                Outcome::NotRun(need) => format!("NOT RUN: needs {need}"),
                Outcome::Skipped(reason) => format!("skipped: {reason}"),
            };
            text.push_str(&format!("{:>8.1} s  {:<16} {outcome}\n", step.took.as_secs_f64(), step.name));
        }
        text
    }

    fn passed(&self, name: &str) -> bool {
        self.done.iter().any(|step| step.name == name && matches!(step.outcome, Outcome::Passed))
    }

    fn push(&mut self, name: &'static str, outcome: Outcome, took: Duration) {
        self.done.push(Step { name, outcome, took });
    }
}

impl Step {
    fn is_bad(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::NotRun(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> Result<(), Error> {
        Err(Error::Tidy { count: 1 })
    }

    #[test]
    fn all_steps_pass() {
        let mut steps = Steps::new();
        steps.run("a", &[], || Ok(()));
        steps.run("b", &["a"], || Ok(()));
        steps.finish().unwrap();
    }

    #[test]
    fn a_failure_lets_independent_steps_run_and_fails_the_whole() {
        let mut steps = Steps::new();
        let mut ran = false;
        steps.run("a", &[], broken);
        steps.run("b", &[], || {
            ran = true;
            Ok(())
        });
        assert!(ran);
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: a");
    }

    #[test]
    fn a_step_whose_need_failed_is_not_run_and_counts_as_a_failure() {
        let mut steps = Steps::new();
        steps.run("a", &[], broken);
        steps.run("b", &["a"], || panic!("must not run"));
        assert!(steps.summary().contains("NOT RUN: needs a"));
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: a, b");
    }

    #[test]
    fn a_step_left_out_on_purpose_is_named_in_the_summary() {
        let mut steps = Steps::new();
        steps.skip("a", "--quick");
        assert!(steps.summary().contains("skipped: --quick"));
        steps.finish().unwrap();
    }
}
