//! The catalog as a state machine of a Raft group.

use std::sync::Arc;

use bytes::Bytes;
use catalog_state::{CatalogCommand, CatalogState};
use journal::{FrameKind, LogId, Snapshot};
use raft_group::{Applied, CommittedEntry, Machine, MachineError};
use tokio::sync::watch;
use types::{RecordNumber, TimestampMs};

use crate::copies::Copies;
use crate::reply;

/// Applies commands and publishes what they lead to. Its snapshot is the whole state where it stands: unlike a shard's log, the
/// catalog's holds nothing that anyone reads later.
pub(crate) struct CatalogMachine {
    copies: Copies,
    /// The last entry applied; `None` before the first.
    applied: Option<LogId>,
}

impl CatalogMachine {
    /// An empty catalog, and where its states appear.
    pub(crate) fn new() -> (CatalogMachine, watch::Receiver<Arc<CatalogState>>) {
        let (copies, readers) = Copies::new();
        (CatalogMachine { copies, applied: None }, readers)
    }

    fn run(&mut self, index: u64, payload: &Bytes) -> Bytes {
        // A command that this version can't read would make this replica differ from the others without anyone noticing.
        let command = CatalogCommand::decode(payload)
            .unwrap_or_else(|error| panic!("entry {index} of the catalog is no command of this version: {error}"));
        let reply = self.copies.apply(index, command);
        reply::encode(index, &reply)
    }
}

impl Machine for CatalogMachine {
    fn apply(&mut self, entry: CommittedEntry<'_>) -> Applied {
        let index = entry.log_id.index;
        let reply = match entry.kind {
            FrameKind::Normal => self.run(index, entry.payload),
            // The very first entry, at 0, is the group's membership; the state counts from 1.
            _ if index == 0 => Bytes::new(),
            _ => {
                self.copies.pass(index);
                Bytes::new()
            }
        };
        self.applied = Some(entry.log_id);
        Applied { reply, first_record: RecordNumber(0), count: 0, arrival: TimestampMs(0) }
    }

    fn applied_batch(&mut self) {
        self.copies.publish();
    }

    fn checkpoint(&self) -> Option<Bytes> {
        None
    }

    fn snapshot(&self) -> Option<Snapshot> {
        let state = || Bytes::from(self.copies.working().encode());
        self.applied.map(|log_id| Snapshot { log_id, state: state() })
    }

    fn restore(&mut self, log_id: LogId, state: &Bytes) -> Result<(), MachineError> {
        let state = CatalogState::decode(state).map_err(|error| MachineError(error.to_string()))?;
        self.copies.reset(state);
        self.applied = Some(log_id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog_state::{CatalogReply, ClusterId};

    fn entry(index: u64, kind: FrameKind, payload: &Bytes) -> CommittedEntry<'_> {
        CommittedEntry { log_id: LogId { term: 1, index }, kind, payload }
    }

    fn initialise() -> Bytes {
        let command =
            CatalogCommand::Initialise { cluster_id: ClusterId(5), iterator_key: [1; 32], at: TimestampMs(9) };
        command.encode().into()
    }

    #[test]
    fn readers_see_a_batch_when_it_is_whole() {
        let (mut machine, readers) = CatalogMachine::new();
        let (none, command) = (Bytes::new(), initialise());
        machine.apply(entry(0, FrameKind::Membership, &none));
        machine.apply(entry(1, FrameKind::Blank, &none));
        let applied = machine.apply(entry(2, FrameKind::Normal, &command));
        assert_eq!(reply::decode(&applied.reply), Ok((2, CatalogReply::Done)));
        assert_eq!((applied.count, readers.borrow().applied_index()), (0, 0));
        machine.applied_batch();
        assert_eq!(readers.borrow().applied_index(), 2);
        assert_eq!(readers.borrow().cluster().map(|cluster| cluster.id), Some(ClusterId(5)));
    }

    #[test]
    fn a_snapshot_restores_the_same_state_at_the_same_position() {
        let (mut machine, readers) = CatalogMachine::new();
        assert!(machine.snapshot().is_none());
        let command = initialise();
        machine.apply(entry(1, FrameKind::Normal, &command));
        machine.applied_batch();
        let snapshot = machine.snapshot().unwrap();
        assert_eq!(snapshot.log_id, LogId { term: 1, index: 1 });

        let (mut other, others_readers) = CatalogMachine::new();
        other.restore(snapshot.log_id, &snapshot.state).unwrap();
        assert_eq!(*others_readers.borrow(), *readers.borrow());
        assert_eq!(other.snapshot().map(|again| again.state), Some(snapshot.state));
    }

    #[test]
    fn a_damaged_snapshot_is_refused() {
        let (mut machine, readers) = CatalogMachine::new();
        assert!(machine.restore(LogId { term: 1, index: 1 }, &Bytes::from_static(b"\x01x")).is_err());
        assert_eq!(readers.borrow().applied_index(), 0);
    }
}
