//! Rare states that a good run of many seeds must reach: a fault schedule that never gets there proves nothing.

use std::collections::BTreeMap;
use std::fmt;

/// A state, and how it is noticed.
pub(crate) struct State {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// The beginning of the server's log line that shows it; empty if the simulation notices it itself.
    pub(crate) log: &'static str,
}

const fn logged(name: &'static str, log: &'static str) -> State {
    State { name, log }
}

const fn noticed(name: &'static str) -> State {
    State { name, log: "" }
}

pub(crate) const UNSYNCED_LOST: &str = "power loss took unsynced data";
pub(crate) const BLOCK_TORN: &str = "power loss tore a block";
pub(crate) const NAME_LOST: &str = "power loss took an unsynced name";
pub(crate) const CRASH_IN_RECOVERY: &str = "crash during recovery";
pub(crate) const ABORTED: &str = "process aborted after a failed write or sync";
pub(crate) const START_FAILED: &str = "start failed and was repeated";
pub(crate) const REFUSED_FULL: &str = "put refused since the disk is full";
pub(crate) const THROTTLED: &str = "put over a shard's limit throttled";
pub(crate) const RETRIED_TWICE_STORED: &str = "retried put stored twice";
pub(crate) const CHAIN_OVER_CRASH: &str = "iterator chain went on over a crash";
pub(crate) const ITERATOR_EXPIRED: &str = "iterator expired";
pub(crate) const TRIM_SEEN: &str = "trimmed records were gone for a reader";
pub(crate) const STREAM_DELETED: &str = "stream deleted";
pub(crate) const RETENTION_CHANGED: &str = "retention changed";
pub(crate) const DAMAGE_REFUSED: &str = "damaged data refused";
pub(crate) const DAMAGE_HARMLESS: &str = "rotten disk, and everything right all the same";

/// Every state, in the order of the table.
pub(crate) const ALL: &[State] = &[
    noticed(UNSYNCED_LOST),
    noticed(BLOCK_TORN),
    noticed(NAME_LOST),
    logged("torn tail cut", "the last write was interrupted"),
    noticed(CRASH_IN_RECOVERY),
    noticed(ABORTED),
    noticed(START_FAILED),
    logged("journal file recycled", "journal file recycled"),
    logged("tails flushed to a segment", "tails flushed to a segment"),
    logged("records read from a segment", "records read from a segment"),
    logged("segment removed", "segment removed"),
    logged("restart from a checkpoint", "restarting from a checkpoint"),
    logged("shard trimmed", "shard trimmed"),
    logged("log compacted", "log compacted"),
    logged("restart with a shard's snapshot", "shard restored behind its trim point"),
    noticed(TRIM_SEEN),
    noticed(REFUSED_FULL),
    noticed(THROTTLED),
    noticed(RETRIED_TWICE_STORED),
    noticed(CHAIN_OVER_CRASH),
    noticed(ITERATOR_EXPIRED),
    noticed(STREAM_DELETED),
    noticed(RETENTION_CHANGED),
    noticed(DAMAGE_REFUSED),
    noticed(DAMAGE_HARMLESS),
    logged("leaderless group campaigned", "nobody leads the group: campaigning"),
    logged("followers' entries in conflict with the leader's", "entries do not follow what is here"),
    logged("a former leader's entries removed", "entries of a former leader removed"),
    logged("a leader's snapshot installed", "a leader's snapshot installed"),
    logged("replicas moved to other nodes", "replicas have moved"),
    logged("damaged replica made anew", "a damaged replica is rebuilt from the others"),
    logged("node started over", "this node starts over with an empty directory"),
    logged("repeated put found in the log", "a repeated put was in the log"),
    logged("follower told late what is committed", "a follower waits to hear what is committed"),
    logged("stale catalog brought up to date for a request", "what was not found is looked for again"),
];

/// How often each state was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States(BTreeMap<&'static str, u64>);

impl States {
    pub(crate) fn add(&mut self, state: &'static str) {
        *self.0.entry(state).or_default() += 1;
    }

    /// Adds those of another run; each state counts at most once per run, so that the table shows the number of seeds.
    pub fn add_run(&mut self, run: &States) {
        run.0.keys().for_each(|state| self.add(state));
    }

    /// The names of those that were reached.
    pub(crate) fn reached(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Adds one by its name, if there is one.
    pub(crate) fn add_named(&mut self, name: &str) {
        if let Some(state) = ALL.iter().find(|state| state.name == name) {
            self.add(state.name);
        }
    }

    /// The states that were never reached.
    pub fn missing(&self) -> Vec<&'static str> {
        ALL.iter().map(|state| state.name).filter(|name| !self.0.contains_key(name)).collect()
    }
}

impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for state in ALL {
            writeln!(f, "{:>7}  {}", self.0.get(state.name).copied().unwrap_or(0), state.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_runs_and_names_what_is_missing() {
        let mut run = States::default();
        run.add(ABORTED);
        run.add(ABORTED);
        let mut all = States::default();
        all.add_run(&run);
        all.add_run(&run);
        assert!(all.to_string().contains(&format!("      2  {ABORTED}\n")));
        assert_eq!(all.missing().len(), ALL.len() - 1);
        assert!(!all.missing().contains(&ABORTED));
    }
}
