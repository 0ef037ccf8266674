//! A small machine and a small journal.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use journal::{FrameKind, LogId, Options, Snapshot};
use raft_group::{Applied, CommittedEntry, Machine, MachineError, RaftGroup};
use types::{RecordNumber, TimestampMs};

/// Commands of [`Numbers`]: the first byte of an entry.
const RECORD: u8 = 0;
const TRIM: u8 = 1;
pub(crate) const PEEK: u8 = 2;
pub(crate) const PANIC: u8 = 3;

/// Numbers the records it is given, one per entry. Like a shard's machine, it takes its snapshot at the trim point.
#[derive(Clone, Default)]
pub(crate) struct Numbers {
    next: u64,
    /// The last trimmed entry, and the number of the first record behind it.
    trim: Option<(LogId, u64)>,
    /// Whether it keeps no small state, so that a restart begins at the snapshot.
    only_snapshots: bool,
}

impl Numbers {
    /// One that keeps no small state, so that a restart begins at the snapshot, if `only_snapshots`.
    pub(crate) fn new(only_snapshots: bool) -> Self {
        Self { only_snapshots, ..Self::default() }
    }

    fn encode(next: u64, trim: Option<(LogId, u64)>) -> Bytes {
        let (at, first) = trim.unwrap_or((LogId { term: 0, index: 0 }, 0));
        let mut out = BytesMut::new();
        [next, u64::from(trim.is_some()), at.term, at.index, first].into_iter().for_each(|word| out.put_u64_le(word));
        out.freeze()
    }
}

impl Machine for Numbers {
    fn apply(&mut self, entry: CommittedEntry<'_>) -> Applied {
        let first_record = RecordNumber(self.next);
        let mut payload = entry.payload.as_ref();
        let command = if entry.kind == FrameKind::Normal { payload.get_u8() } else { PEEK };
        match command {
            RECORD => self.next += 1,
            TRIM => {
                let at = LogId { term: payload.get_u64_le(), index: payload.get_u64_le() };
                self.trim = Some((at, payload.get_u64_le()));
            }
            PANIC => panic!("planted by the test"),
            _ => {}
        }
        let count = u32::from(command == RECORD);
        let reply = Bytes::copy_from_slice(&first_record.0.to_le_bytes());
        Applied { reply, first_record, count, arrival: TimestampMs(0) }
    }

    fn checkpoint(&self) -> Option<Bytes> {
        (!self.only_snapshots).then(|| Self::encode(self.next, self.trim))
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.trim.map(|(log_id, next)| Snapshot { log_id, state: Self::encode(next, self.trim) })
    }

    fn restore(&mut self, _: LogId, state: &Bytes) -> Result<(), MachineError> {
        let mut state = state.as_ref();
        let mut words = [0; 5];
        for word in &mut words {
            *word = state.try_get_u64_le().map_err(|error| MachineError(error.to_string()))?;
        }
        let [next, trimmed, term, index, first] = words;
        (self.next, self.trim) = (next, (trimmed == 1).then_some((LogId { term, index }, first)));
        Ok(())
    }
}

/// A journal that goes through its files and segments quickly.
pub(crate) fn options() -> Options {
    Options {
        file_bytes: 64 << 10,
        flush_bytes: 16 << 10,
        tail_budget_bytes: 48 << 10,
        free_bytes_reserve: 0,
        index_every_bytes: 2 << 10,
        maintenance_interval: Duration::from_millis(20),
        ..Options::default()
    }
}

/// The bytes of record `n`.
pub(crate) fn record(n: u64) -> Bytes {
    let mut payload = vec![RECORD];
    payload.extend_from_slice(&n.to_le_bytes());
    payload.resize(409, b'x');
    payload.into()
}

/// Trims the records before `first`, which must not be the first one retained; returns the last entry that goes.
pub(crate) async fn trim_to(group: &RaftGroup, first: u64) -> LogId {
    let last = &group.log().read_records(RecordNumber(first - 1), 1).await.unwrap()[0];
    assert_eq!(last.end_record(), first);
    let at = last.frame.log_id;
    let mut payload = BytesMut::from(&[TRIM][..]);
    [at.term, at.index, first].into_iter().for_each(|word| payload.put_u64_le(word));
    group.propose(payload.freeze()).await.unwrap();
    at
}
