//! The adapter's two halves, each alone: openraft's own suite for storage, and what that does not ask.

mod from_first;

use std::sync::Arc;

use bytes::Bytes;
use env::Env;
use env::sim::{self, FaultDisk, FaultPlan, ProcessEnd, SimClock};
use futures_util::TryStreamExt;
use journal::{Journal, LogId, Options, Snapshot};
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::{RaftLogReader, StorageError};
use telemetry::Telemetry;
use types::{GroupId, RecordNumber, TimestampMs};

use from_first::FromFirst;

use crate::config::{Config, Entry, Payload, Proposal};
use crate::log_store::LogStore;
use crate::state_machine::StateMachine;
use crate::stored::to_raft;
use crate::{Applied, CommittedEntry, Machine, MachineError};

/// Remembers nothing but where it stands.
#[derive(Default)]
struct Position(Option<LogId>);

impl Machine for Position {
    fn apply(&mut self, entry: CommittedEntry<'_>) -> Applied {
        self.0 = Some(entry.log_id);
        Applied { reply: Bytes::new(), first_record: RecordNumber(0), count: 0, arrival: TimestampMs(0) }
    }

    fn checkpoint(&self) -> Option<Bytes> {
        None
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.0.map(|log_id| Snapshot { log_id, state: Bytes::new() })
    }

    fn restore(&mut self, log_id: LogId, _: &Bytes) -> Result<(), MachineError> {
        self.0 = Some(log_id);
        Ok(())
    }
}

fn world() -> Env {
    let disk = FaultDisk::new(1, FaultPlan::default());
    sim::env(1, SimClock::new(0), disk.mount(), ProcessEnd::default())
}

async fn journal(env: &Env) -> Journal {
    let options = Options { file_bytes: 4 << 20, free_bytes_reserve: 0, ..Options::default() };
    Journal::open(env.clone(), options, Telemetry::new()).await.unwrap().0
}

fn run<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(life)
}

/// A new journal for each test of the suite. The suite applies entries that it never appended, and leaves some out, so the state
/// machine stands on another group than the log.
struct Builder;

impl StoreBuilder<Config, FromFirst, StateMachine, Journal> for Builder {
    async fn build(&self) -> Result<(Journal, FromFirst, StateMachine), StorageError<Config>> {
        let env = world();
        let journal = journal(&env).await;
        let store = FromFirst::new(LogStore { log: journal.group(GroupId(1)).unwrap() });
        let log = journal.group(GroupId(2)).unwrap();
        let spawn = Arc::clone(&env.spawn);
        let machine = StateMachine::restore(log, Box::<Position>::default(), spawn, Arc::default()).unwrap();
        Ok((journal, store, machine))
    }
}

#[test]
fn openrafts_own_suite_passes_over_the_journal() {
    run(async { Suite::test_all(Builder).await }).unwrap();
}

/// A log of entries 0 to 39 of 100 KB each.
async fn large_log(journal: &Journal) -> LogStore {
    let mut store = LogStore { log: journal.group(GroupId(1)).unwrap() };
    let entry = |index| Entry {
        log_id: to_raft(LogId { term: 1, index }),
        payload: Payload::Normal(Proposal(vec![index as u8; 100_000].into())),
    };
    for first in (0..40).step_by(10) {
        store.append((first..first + 10).map(entry), IOFlushed::noop()).await.unwrap();
    }
    store
}

async fn streamed(store: &mut LogStore, range: std::ops::Range<u64>) -> Vec<u64> {
    let entries: Vec<Entry> = store.entries_stream(range).await.try_collect().await.unwrap();
    entries.iter().map(|entry| entry.log_id.index()).collect()
}

#[test]
fn more_entries_than_one_read_takes_come_as_a_stream_without_a_hole() {
    run(async {
        let mut store = large_log(&journal(&world()).await).await;
        assert_eq!(streamed(&mut store, 0..40).await, (0..40).collect::<Vec<_>>());
        assert_eq!(streamed(&mut store, 3..100).await, (3..40).collect::<Vec<_>>());
        let first = store.limited_get_log_entries(5, 40).await.unwrap();
        assert_eq!(first[0].log_id.index(), 5);
        assert!((10..=12).contains(&first.len()), "about 1 MiB, not {} entries", first.len());
        store.purge(to_raft(LogId { term: 1, index: 29 })).await.unwrap();
        assert_eq!(streamed(&mut store, 0..40).await, (30..40).collect::<Vec<_>>());
    });
}
